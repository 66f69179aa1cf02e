//! The saved form of a model: one header line with format and checksum, then JSON.
//!
//! Pure: bytes in, bytes out. A damaged or newer file is refused, never repaired.

use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;
use twox_hash::XxHash64;

use super::fit::FittedModel;
use super::held_out::HeldOut;
use super::lineage::Lineage;

/// The version of the saved form.
pub const MODEL_FORMAT: u32 = 3;

const NAME: &str = "spikecast-model";

/// Why a saved model cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SavedModelError {
    /// Not a model at all.
    #[error("not a saved model: it should start with {NAME:?}")]
    NotAModel,
    /// Made by an older program, which described hours otherwise.
    #[error(
        "the model has format {0}, this program reads format {MODEL_FORMAT}; remove it, the next run trains a new one"
    )]
    Older(u32),
    /// Made by a newer program.
    #[error("the model has format {0}, this program reads up to {MODEL_FORMAT}; update spikecast")]
    Newer(u32),
    /// Not what was written.
    #[error("the model is damaged ({0}); delete it, the next run trains a new one")]
    Damaged(String),
}

impl FittedModel {
    /// Writes the model to bytes; the same model gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = serde_json::to_vec(self).expect("the model holds numbers and strings only");
        let checksum = XxHash64::oneshot(0, &body);
        let mut bytes = format!("{NAME} {MODEL_FORMAT} {checksum:016x}\n").into_bytes();
        bytes.extend(body);
        bytes
    }

    /// Reads a model from bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SavedModelError> {
        read(bytes)
    }

    /// Returns what the model says about itself.
    #[must_use]
    pub fn card(&self) -> ModelCard {
        ModelCard { lineage: self.lineage().clone(), held_out: self.held_out().to_vec() }
    }
}

/// What a model says about itself, without what it predicts with.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelCard {
    /// Where it comes from.
    pub lineage: Lineage,
    /// How it did on held-out days, by threshold; empty after a history too short to hold any out.
    pub held_out: Vec<HeldOut>,
}

impl ModelCard {
    /// Reads the card of a saved model, all of whose bytes are checked.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SavedModelError> {
        read(bytes)
    }
}

/// Checks the header and reads what is wanted of the body.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SavedModelError> {
    let end = bytes.iter().position(|&b| b == b'\n').ok_or(SavedModelError::NotAModel)?;
    let header = std::str::from_utf8(&bytes[..end]).map_err(|_| SavedModelError::NotAModel)?;
    let mut words = header.split(' ');
    let (name, format, checksum) = (words.next(), words.next(), words.next());
    if name != Some(NAME) {
        return Err(SavedModelError::NotAModel);
    }
    let format: u32 = format.and_then(|f| f.parse().ok()).ok_or(SavedModelError::NotAModel)?;
    if MODEL_FORMAT < format {
        return Err(SavedModelError::Newer(format));
    }
    if format < MODEL_FORMAT {
        return Err(SavedModelError::Older(format));
    }
    let body = &bytes[end + 1..];
    if checksum != Some(format!("{:016x}", XxHash64::oneshot(0, body)).as_str()) {
        return Err(SavedModelError::Damaged("its checksum does not match".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| SavedModelError::Damaged(error.to_string()))
}
