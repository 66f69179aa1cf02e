//! The checksum by which damage is noticed: of every part, raw file and index.

use twox_hash::XxHash64;

/// Returns the XXH64 of bytes, in hexadecimal.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash64::oneshot(0, bytes))
}
