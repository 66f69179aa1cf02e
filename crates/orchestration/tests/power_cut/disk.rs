//! What a disk may hold after a power cut. Pure.
//!
//! Built from the operations that a [`crate::tape::Tape`] recorded. What was synced is there. Of
//! what was not, any sector may have any content it had since, in any order between sectors; a
//! file may have any length it had since, and a name any file it stood for since its folder was
//! synced. Files that bypass SQLite are never synced, so they may be absent or as old as they ever
//! were.

use std::collections::BTreeMap;

use crate::acknowledged::{EventCounts, Told};
use crate::chance::Chance;

/// A disk writes so many bytes as one.
const SECTOR_BYTES: usize = 512;

/// Files by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What a program did to a folder.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Created {
        file: String,
    },
    Wrote {
        file: String,
        offset: usize,
        data: Vec<u8>,
    },
    Truncated {
        file: String,
        bytes: usize,
    },
    Synced {
        file: String,
    },
    /// Nobody will try again to write what this sync should have made certain.
    SyncFailed {
        file: String,
    },
    Deleted {
        file: String,
    },
    FolderSynced,
    /// A file that bypasses SQLite was found like this, or not at all.
    Beside {
        file: String,
        content: Option<Vec<u8>>,
    },
    /// An observer was told that something is in the journal.
    Told(Told),
    /// So much was in the journal when somebody was told of it.
    Counted(EventCounts),
}

/// What becomes of everything that was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// It is lost.
    Whole,
    /// The disk has it all the same.
    None,
    /// Chance decides, sector by sector.
    Torn {
        /// The seed.
        seed: u64,
    },
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate { bytes: usize },
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                let end = offset + data.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(data);
            }
            Self::Truncate { bytes } => content.resize(*bytes, 0),
        }
    }

    /// Returns where the sectors begin that this touches.
    fn sectors(&self) -> impl Iterator<Item = usize> + use<> {
        let (begin, end) = match self {
            Self::Write { offset, data } => (*offset, offset + data.len()),
            Self::Truncate { .. } => (0, 0),
        };
        (begin / SECTOR_BYTES * SECTOR_BYTES..end).step_by(SECTOR_BYTES)
    }
}

#[derive(Clone, Debug, Default)]
struct Content {
    synced: Vec<u8>,
    changes: Vec<Change>,
}

impl Content {
    fn newest(&self) -> Vec<u8> {
        let mut content = self.synced.clone();
        for change in &self.changes {
            change.apply(&mut content);
        }
        content
    }

    /// Each version of each sector reaches the disk or not.
    fn torn(&self, chance: &mut Chance) -> Vec<u8> {
        let (mut newest, mut torn) = (self.synced.clone(), self.synced.clone());
        let mut lengths = vec![newest.len()];
        let kept_in_8 = [1, 4, 7][index(chance, 3)];
        for change in &self.changes {
            change.apply(&mut newest);
            lengths.push(newest.len());
            for begin in change.sectors() {
                if chance.below(8) < kept_in_8 {
                    let end = newest.len().min(begin + SECTOR_BYTES);
                    let sector = newest[begin..end].to_vec();
                    Change::Write { offset: begin, data: sector }.apply(&mut torn);
                }
            }
        }
        torn.resize(lengths[index(chance, lengths.len())], 0);
        torn
    }
}

/// A folder, and how much of it is certain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    /// Every file there ever was, by the order of creation.
    contents: Vec<Content>,
    /// What each name has stood for: first what is certain, last what the program sees.
    names: BTreeMap<String, Vec<Option<usize>>>,
    /// What files that bypass SQLite have held.
    beside: BTreeMap<String, Vec<Option<Vec<u8>>>>,
}

impl Disk {
    /// Returns a disk that holds these files for certain.
    pub(crate) fn new(files: &Files) -> Self {
        let mut disk = Self::default();
        for (name, content) in files {
            disk.names.insert(name.clone(), vec![Some(disk.contents.len())]);
            disk.contents.push(Content { synced: content.clone(), changes: Vec::new() });
        }
        disk
    }

    /// Lets the program do something.
    pub(crate) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Created { file } => {
                self.names.entry(file.clone()).or_insert_with(|| vec![None]);
                self.name(file, Some(self.contents.len()));
                self.contents.push(Content::default());
            }
            Operation::Wrote { file, offset, data } => {
                let change = Change::Write { offset: *offset, data: data.clone() };
                self.content(file).changes.push(change);
            }
            Operation::Truncated { file, bytes } => {
                self.content(file).changes.push(Change::Truncate { bytes: *bytes });
            }
            Operation::Synced { file } => {
                let content = self.content(file);
                content.synced = content.newest();
                content.changes.clear();
            }
            Operation::SyncFailed { file } => self.content(file).changes.clear(),
            Operation::Deleted { file } => self.name(file, None),
            Operation::FolderSynced => {
                for versions in self.names.values_mut() {
                    versions.drain(..versions.len() - 1);
                }
            }
            Operation::Beside { file, content } => {
                let versions = self.beside.entry(file.clone()).or_insert_with(|| vec![None]);
                versions.push(content.clone());
            }
            Operation::Told(_) | Operation::Counted(_) => {}
        }
    }

    fn name(&mut self, file: &str, content: Option<usize>) {
        self.names.get_mut(file).expect("a file is created first").push(content);
    }

    fn content(&mut self, file: &str) -> &mut Content {
        let number = self.names[file].last().copied().flatten().expect("an open file has a name");
        &mut self.contents[number]
    }

    /// Returns what is found when the power is back.
    pub(crate) fn after_power_cut(&self, loss: Loss) -> Files {
        let mut chance = Chance::new(match loss {
            Loss::Torn { seed } => seed,
            Loss::Whole | Loss::None => 0,
        });
        let mut files = Files::new();
        for (name, versions) in &self.names {
            let version = choose(versions, loss, &mut chance);
            if let Some(number) = versions[version] {
                let content = &self.contents[number];
                let content = match loss {
                    Loss::Whole => content.synced.clone(),
                    Loss::None => content.newest(),
                    Loss::Torn { .. } => content.torn(&mut chance),
                };
                files.insert(name.clone(), content);
            }
        }
        for (name, versions) in &self.beside {
            let version = choose(versions, loss, &mut chance);
            if let Some(content) = &versions[version] {
                files.insert(name.clone(), content.clone());
            }
        }
        files
    }
}

fn choose<T>(versions: &[T], loss: Loss, chance: &mut Chance) -> usize {
    match loss {
        Loss::Whole => 0,
        Loss::None => versions.len() - 1,
        Loss::Torn { .. } => index(chance, versions.len()),
    }
}

fn index(chance: &mut Chance, count: usize) -> usize {
    usize::try_from(chance.below(count as u64)).expect("it is below a usize")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(offset: usize, byte: u8, bytes: usize) -> Operation {
        Operation::Wrote { file: "f".to_owned(), offset, data: vec![byte; bytes] }
    }

    fn disk(operations: &[Operation]) -> Disk {
        let mut disk = Disk::new(&Files::new());
        for operation in operations {
            disk.apply(operation);
        }
        disk
    }

    fn created() -> Operation {
        Operation::Created { file: "f".to_owned() }
    }

    fn synced() -> Operation {
        Operation::Synced { file: "f".to_owned() }
    }

    #[test]
    fn a_synced_file_is_found_only_if_its_folder_was_synced_too() {
        let mut operations = vec![created(), wrote(0, 1, 600), synced()];
        assert!(disk(&operations).after_power_cut(Loss::Whole).is_empty());
        operations.push(Operation::FolderSynced);
        assert_eq!(disk(&operations).after_power_cut(Loss::Whole)["f"], vec![1; 600]);
    }

    #[test]
    fn what_is_written_after_the_sync_is_lost_kept_or_torn_at_sectors() {
        let operations =
            [created(), wrote(0, 1, 1536), synced(), Operation::FolderSynced, wrote(256, 2, 1024)];
        let disk = disk(&operations);
        assert_eq!(disk.after_power_cut(Loss::Whole)["f"], vec![1; 1536]);
        let kept = [vec![1; 256], vec![2; 1024], vec![1; 256]].concat();
        assert_eq!(disk.after_power_cut(Loss::None)["f"], kept);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let torn = disk.after_power_cut(Loss::Torn { seed }).remove("f").unwrap();
            assert_eq!(torn.len(), 1536);
            seen.insert([torn[300], torn[600], torn[1100]]);
        }
        assert_eq!(seen.len(), 8, "every sector is new or old, whatever the others are");
    }

    #[test]
    fn a_deletion_is_certain_only_after_the_folder_was_synced() {
        let mut operations = vec![created(), Operation::FolderSynced];
        operations.push(Operation::Deleted { file: "f".to_owned() });
        let found = |disk: &Disk, loss| disk.after_power_cut(loss).contains_key("f");
        let unsure = disk(&operations);
        assert!(found(&unsure, Loss::Whole) && !found(&unsure, Loss::None));
        operations.push(Operation::FolderSynced);
        assert!(!found(&disk(&operations), Loss::Whole));
    }

    #[test]
    fn a_file_that_bypasses_sqlite_may_be_absent_or_as_old_as_it_ever_was() {
        let beside = |text: &str| {
            let content = Some(text.as_bytes().to_vec());
            Operation::Beside { file: "f".to_owned(), content }
        };
        let disk = disk(&[beside("1"), beside("2")]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..50 {
            seen.insert(disk.after_power_cut(Loss::Torn { seed }).get("f").cloned());
        }
        assert_eq!(Vec::from_iter(seen), [None, Some(b"1".to_vec()), Some(b"2".to_vec())]);
    }
}
