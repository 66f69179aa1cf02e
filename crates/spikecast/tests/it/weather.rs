//! `spikecast fetch --source open_meteo` against a server that answers as Open-Meteo does: the
//! vintages that were safe to use arrive, with the times at which they could be read.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::program::Program;

/// Eight places, in the order asked for.
const PLACES: usize = 8;
const HOUR: i64 = 3_600;

/// Answers every request for previous runs: at each hour of the days asked for, the temperature is
/// the number of the vintage, the wind the number of the place.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    url
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let body = reply(&request).to_string();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .unwrap();
}

fn reply(request: &str) -> Value {
    let value = |name: &str| {
        let (_, rest) = request.split_once(&format!("{name}=")).expect("a query");
        rest.split(['&', ' ']).next().unwrap().to_owned()
    };
    let day = |name: &str| -> i64 {
        let start = format!("{}T00:00:00Z", value(name)).parse::<jiff::Timestamp>().unwrap();
        start.as_second()
    };
    let (_, ending) = request.split_once("temperature_2m").expect("the temperature");
    let ending = ending.split([',', '%']).next().unwrap();
    let vintage: i64 = ending.strip_prefix("_previous_day").expect("a vintage").parse().unwrap();
    let hours: Vec<i64> = (day("start_date")..day("end_date") + 24 * HOUR).step_by(3_600).collect();
    let name = |variable: &str| format!("{variable}{ending}");
    let column = |number: i64| vec![number; hours.len()];
    let table = |place: usize| {
        json!({
            "hourly_units": {
                "time": "unixtime", name("temperature_2m"): "°C",
                name("wind_speed_100m"): "m/s", name("shortwave_radiation"): "W/m²",
            },
            "hourly": {
                "time": hours, name("temperature_2m"): column(vintage),
                name("wind_speed_100m"): vec![place; hours.len()],
                name("shortwave_radiation"): column(100),
            },
        })
    };
    Value::Array((0..PLACES).map(table).collect())
}

#[test]
fn the_vintages_that_were_safe_arrive_and_are_not_asked_for_twice() {
    let program = Program::new();
    let settings = format!("source = \"open_meteo\"\nopen_meteo_url = \"{}\"\n", serve());
    std::fs::write(program.path("spikecast.toml"), settings).unwrap();
    let wanted = ["--series", "temperature_forecast", "--from", "2026-03-08", "--to", "2026-03-08"];
    let fetch = [&["fetch"][..], &wanted].concat();
    let fetched = program.json(&fetch);
    assert_eq!(fetched["gaps"], json!([]));
    // 23 hours, three vintages, eight places, three variables.
    assert_eq!(fetched["observations"], json!(23 * 3 * 8 * 3));
    assert_eq!(program.json(&fetch)["observations"], json!(0));
    // At 06:00 on the 6th, which is 12:00 UTC, the vintage for D+2 was there for all hours, and
    // for the first six of them a newer one.
    let known = [&["data", "show"][..], &wanted, &["--known-at", "2026-03-06T06:00"]].concat();
    let shown = program.json(&known);
    let observations = shown[0]["observations"].as_array().unwrap();
    let vintages: Vec<f64> = observations.iter().map(|it| it["value"].as_f64().unwrap()).collect();
    assert_eq!(vintages, [[2.0; 6].as_slice(), &[3.0; 17]].concat());
    let published: Vec<&str> =
        observations.iter().map(|it| it["published_at"].as_str().unwrap()).collect();
    assert_eq!(published.iter().max(), Some(&"2026-03-06T12:00:00Z"));
}

#[test]
fn a_forecast_of_prices_cannot_be_made_of_the_weather() {
    let program = Program::new();
    let (_, error) = program.run(&["run", "--source", "open_meteo"], 4);
    assert!(error.contains("it has weather only"), "{error}");
}
