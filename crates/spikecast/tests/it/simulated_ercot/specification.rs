//! Responses against ERCOT's own OpenAPI documents, where those cover the endpoint.

use serde_json::{Value, json};

use super::formats::recently;
use super::{Served, recorded_json};

const MORNING: &str = "2026-07-14T09:30";
const SPECIFICATIONS: [&str; 2] = ["spec/pubapi-2024-02-21.json", "spec/pubapi-2025-05-23.json"];

/// Checks a value against a schema, by the keywords that occur in ERCOT's documents. Returns where
/// it differs.
fn differences(schema: &Value, value: &Value, at: &str, specification: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let schema = &specification["components"]["schemas"][name];
        assert!(schema.is_object(), "{reference}");
        return differences(schema, value, at, specification);
    }
    let is_of_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        other => panic!("{at}: type {other:?}"),
    };
    if !is_of_type {
        return vec![at.to_owned()];
    }
    let mut found = Vec::new();
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        found.push(at.to_owned());
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{at}/{}", name.as_str().unwrap()));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let (schema, at) = match schema["properties"].get(name) {
            Some(schema) => (Some(schema), format!("{at}/{name}")),
            None => (schema.get("additionalProperties"), format!("{at}/*")),
        };
        let inner = schema.map(|schema| differences(schema, inner, &at, specification));
        found.extend(inner.into_iter().flatten());
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        let inner =
            values.iter().map(|it| differences(items, it, &format!("{at}/[]"), specification));
        found.extend(inner.flatten());
    }
    found.sort();
    found.dedup();
    found
}

fn against(specification: &Value, schema: &str, value: &Value) -> Vec<String> {
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    differences(&schema, value, "", specification)
}

/// What ERCOT's documents say and ERCOT does not do: rows are lists, parameters texts.
const CONTRADICTED: [&str; 2] = ["/_meta/query/parameters/*", "/data"];

#[test]
fn a_recorded_response_differs_from_the_specification_where_ours_may() {
    let name = "recorded/pubapi_np3-233-cd_hourly_res_outage_cap_TRIMMED.json";
    let Some(recorded) = recorded_json(name) else { return };
    for name in SPECIFICATIONS {
        let specification = recorded_json(name).unwrap();
        assert_eq!(against(&specification, "Report", &recorded), CONTRADICTED);
    }
}

#[test]
fn responses_are_as_specified() {
    let Some(fields) = recorded_json("recorded/pubapi_response_fields_by_endpoint_derived.json")
    else {
        return;
    };
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    for name in SPECIFICATIONS {
        let specification = recorded_json(name).unwrap();
        let check = |schema: &str, value: &Value, allowed: &[&str]| {
            assert_eq!(against(&specification, schema, value), allowed, "{schema} of {name}");
        };
        let products = served.json("/");
        let products = products["_embedded"]["products"].as_array().unwrap();
        for product in products {
            check("Product", product, &[]);
            let link = product["artifacts"][0]["_links"]["endpoint"]["href"].as_str().unwrap();
            let endpoint = link.split("/api/public-reports").nth(1).unwrap();
            if specification["paths"].get(endpoint).is_none() {
                continue;
            }
            let fields = fields[&endpoint[1..]].as_object().unwrap();
            let page = served.json(&format!("{endpoint}?{}&size=20", recently(fields)));
            check("Report", &page, &CONTRADICTED);
        }
        for folder in ["archive", "bundle"] {
            let filter =
                if folder == "archive" { "?postDatetimeFrom=2026-07-01T00:00:00" } else { "" };
            let list = served.json(&format!("/{folder}/np4-190-cd{filter}"));
            let contradicted = &CONTRADICTED[..usize::from(folder == "archive")];
            check("ProductHistory", &list, contradicted);
        }
        let refused = served.api("/np4-190-cd/dam_stlmnt_pnt_prices?nonsense=1").unwrap();
        assert_eq!(refused.status, 400);
        check("Exception", &refused.json(), &[]);
        let unknown = served.api("/np9-999-cd").unwrap();
        assert_eq!(unknown.status, 404);
        check("Exception", &unknown.json(), &[]);
    }
}

#[test]
fn every_parameter_of_the_specification_is_understood() {
    let Some(specification) = recorded_json(SPECIFICATIONS[1]) else { return };
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let products = served.json("/");
    let mut tried = 0;
    for product in products["_embedded"]["products"].as_array().unwrap() {
        let link = product["artifacts"][0]["_links"]["endpoint"]["href"].as_str().unwrap();
        let endpoint = link.split("/api/public-reports").nth(1).unwrap();
        let Some(path) = specification["paths"].get(endpoint) else { continue };
        let parameters = path["get"]["parameters"].as_array().unwrap();
        let names = parameters.iter().filter(|it| it["in"] == "query");
        let mut query = Vec::new();
        for parameter in names {
            let name = parameter["name"].as_str().unwrap();
            let format = parameter["schema"]["format"].as_str().unwrap_or_default();
            let value = match (name, parameter["schema"]["type"].as_str().unwrap()) {
                ("sort" | "dir" | "page" | "size", _) => continue,
                (_, "boolean") => "false",
                (_, "integer" | "number") => "1",
                _ if format == "mm:ss" => "00:00",
                _ if format.contains("HH") || format.contains("H24") => "2026-07-13T01:00:00",
                _ if format.contains("dd") => "2026-07-13",
                _ if name.starts_with("hourEnding") => "01:00",
                _ => "HB_NORTH",
            };
            query.push(format!("{name}={value}"));
        }
        tried += query.len();
        // Together, for alone some of them would ask for every day there is.
        served.json(&format!("{endpoint}?{}", query.join("&")));
    }
    assert!(100 < tried, "{tried} parameters");
}
