//! The file of a registry's history: one header line with format and checksum, then JSON. It is
//! read whole and replaced whole; a damaged or newer one is refused, never repaired.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use market::table::write_atomically;
use twox_hash::XxHash64;

use super::error::RegistryError;
use super::history::History;

const NAME: &str = "spikecast-model-history";
const FORMAT: u32 = 1;

/// Reads a history; where there is no file, nothing happened yet.
pub(super) fn read(path: &Path) -> Result<History, RegistryError> {
    let text = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(History::default()),
        Err(cause) => return Err(RegistryError::NotReadable { path: path.to_owned(), cause }),
    };
    let damaged = |damage: &str| {
        let (path, damage) = (path.to_owned(), damage.to_owned());
        RegistryError::HistoryDamaged { path, damage }
    };
    let text = String::from_utf8(text).map_err(|_| damaged("it is no text"))?;
    let (header, body) = text.split_once('\n').ok_or_else(|| damaged("it has no header"))?;
    let mut words = header.split(' ');
    let (name, format, checksum) = (words.next(), words.next(), words.next());
    let format: Option<u32> = format.and_then(|format| format.parse().ok());
    let (Some(NAME), Some(found)) = (name, format) else {
        return Err(damaged("its header is not that of a history"));
    };
    if FORMAT < found {
        let path = path.to_owned();
        return Err(RegistryError::HistoryNewer { path, found, known: FORMAT });
    }
    if checksum != Some(checksum_of(body).as_str()) {
        return Err(damaged("its checksum does not match"));
    }
    serde_json::from_str(body).map_err(|error| damaged(&error.to_string()))
}

/// Writes a history, all at once or not at all.
pub(super) fn write(path: &Path, history: &History) -> Result<(), RegistryError> {
    let body = serde_json::to_string_pretty(history).expect("a history holds texts and times");
    let text = format!("{NAME} {FORMAT} {}\n{body}", checksum_of(&body));
    Ok(write_atomically(path, |out| out.write_all(text.as_bytes()))?)
}

fn checksum_of(body: &str) -> String {
    format!("{:016x}", XxHash64::oneshot(0, body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Event, What, Who};

    #[test]
    fn a_history_comes_back_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        assert_eq!(read(&path).unwrap(), History::default());
        let mut history = History::default();
        let version = |text: &str| text.parse().unwrap();
        let event = |patch: &str, what| Event {
            at: "2026-03-07T12:00:00Z".parse().unwrap(),
            version: version(patch),
            what,
            reason: "it is the first model".to_owned(),
        };
        history.note(event("1.0.0", What::Promoted { by: Who::Rule }));
        history.note(event("1.0.1", What::Refused { current: version("1.0.0") }));
        history.note(event("1.0.0", What::RolledBackTo { from: version("1.0.1") }));
        write(&path, &history).unwrap();
        assert_eq!(read(&path).unwrap(), history);

        let text = fs::read_to_string(&path).unwrap();
        let check = |text: &str, expected: &str| {
            fs::write(&path, text).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(&text.replace("first", "last"), "checksum does not match");
        check("nonsense", "no header");
        check("other 1 0\n{}", "not that of a history");
        check(&text.replacen(" 1 ", " 2 ", 1), "update spikecast");
    }
}
