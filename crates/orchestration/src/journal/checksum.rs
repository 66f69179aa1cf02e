//! Checksums of the journal's rows: a changed byte is noticed wherever it is, also where it leaves
//! a row that can still be read.
//!
//! They guard against disks and accidents, not against people.

use std::hash::Hasher;

use twox_hash::XxHash64;

/// Sums up a row: its numbers, then its texts with their lengths, as xxh64.
pub(super) fn of_row(numbers: &[i64], texts: &[&str]) -> i64 {
    let mut hasher = XxHash64::with_seed(0);
    for number in numbers {
        hasher.write(&number.to_le_bytes());
    }
    for text in texts {
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    }
    hasher.finish().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_summed_up_as_its_bytes_one_after_another() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0xff; 8]);
        bytes.extend_from_slice(b"\x03\0\0\0\0\0\0\0day");
        bytes.extend_from_slice(b"\0\0\0\0\0\0\0\0");
        let expected = XxHash64::oneshot(0, &bytes).cast_signed();
        assert_eq!(of_row(&[7, -1], &["day", ""]), expected);
        assert_ne!(of_row(&[7, -1], &["", "day"]), expected);
        assert_ne!(of_row(&[7, -1], &["da", "y"]), expected);
    }
}
