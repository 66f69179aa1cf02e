//! Frames: a JSON text after its length, four bytes, most significant first.
//!
//! Both sides are bounded: a length that is too large is refused before anything is read for it.
//! What the texts mean is in `protocol`.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Each frame begins with so many bytes that tell how long it is.
const LENGTH_BYTES: usize = 4;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side is gone.
    #[error("the other side is gone")]
    Ended,
    /// The other side went away in the middle of a frame.
    #[error("the other side went away in the middle of a frame of {expected} bytes")]
    Torn {
        /// How long the frame was to be.
        expected: usize,
    },
    /// A frame is longer than allowed; nothing of it was written, or read.
    #[error("a frame of {bytes} bytes, but at most {bytes_max} cross to the other side")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// A frame says something else than the protocol allows.
    #[error("a frame that is not of the protocol")]
    Foreign {
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The system refuses to pass bytes on.
    #[error("the connection to the other side failed")]
    Connection {
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a frame, whole or (if it is too long) not at all.
pub(super) fn write_frame(
    writer: &mut impl Write,
    frame: &impl Serialize,
    bytes_max: usize,
) -> Result<(), FrameError> {
    let mut text = vec![0; LENGTH_BYTES];
    serde_json::to_writer(&mut text, frame)
        .expect("texts, numbers and JSON values can be written as JSON");
    let bytes = text.len() - LENGTH_BYTES;
    let length = u32::try_from(bytes)
        .ok()
        .filter(|_| bytes <= bytes_max)
        .ok_or(FrameError::TooLong { bytes, bytes_max })?;
    text[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    // In one piece: a short frame is one system call, and wakes the other side once.
    writer
        .write_all(&text)
        .and_then(|()| writer.flush())
        .map_err(|source| FrameError::Connection { source })
}

/// Waits for a frame and reads it.
pub(super) fn read_frame<T: DeserializeOwned>(
    reader: &mut impl Read,
    bytes_max: usize,
) -> Result<T, FrameError> {
    let mut length = [0; LENGTH_BYTES];
    match read_up_to(reader, &mut length)? {
        0 => return Err(FrameError::Ended),
        LENGTH_BYTES => {}
        _ => return Err(FrameError::Torn { expected: LENGTH_BYTES }),
    }
    let length = u32::from_be_bytes(length);
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes_max < bytes {
        return Err(FrameError::TooLong { bytes, bytes_max });
    }
    // Grows with what arrives, so that a length alone takes no memory.
    let mut text = Vec::new();
    let read = reader.take(u64::from(length)).read_to_end(&mut text).map_err(connection)?;
    if read < bytes {
        return Err(FrameError::Torn { expected: bytes });
    }
    serde_json::from_slice(&text).map_err(|source| FrameError::Foreign { source })
}

/// Fills `buffer` unless the other side ends before; returns how far it came.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, FrameError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if filled == 0 && error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(connection(error)),
        }
    }
    Ok(filled)
}

fn connection(source: io::Error) -> FrameError {
    FrameError::Connection { source }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const BYTES_MAX: usize = 64;

    fn read(bytes: &[u8]) -> Result<Value, FrameError> {
        read_frame(&mut &bytes[..], BYTES_MAX)
    }

    fn check_refused(bytes: &[u8], expected: &str) {
        assert_eq!(read(bytes).unwrap_err().to_string(), expected, "{bytes:?}");
    }

    #[test]
    fn a_frame_is_its_length_and_its_text() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &json!({"a": 1}), BYTES_MAX).unwrap();
        assert_eq!(bytes, b"\0\0\0\x07{\"a\":1}");
        assert_eq!(read(&bytes).unwrap(), json!({"a": 1}));
    }

    #[test]
    fn frames_of_a_wrong_length_and_garbage_are_refused() {
        check_refused(b"", "the other side is gone");
        check_refused(b"\0\0", "the other side went away in the middle of a frame of 4 bytes");
        check_refused(
            b"\0\0\0\x07{\"a\"",
            "the other side went away in the middle of a frame of 7 bytes",
        );
        check_refused(b"\0\0\0\0", "a frame that is not of the protocol");
        check_refused(b"\0\0\0\x03{\"a\":1}", "a frame that is not of the protocol");
        check_refused(b"\0\0\0\x08{\"a\":1}}", "a frame that is not of the protocol");
        check_refused(b"\0\0\0\x02\xff\xfe", "a frame that is not of the protocol");
    }

    #[test]
    fn a_frame_that_is_too_long_is_neither_read_nor_written() {
        let expected = "a frame of 1195725856 bytes, but at most 64 cross to the other side";
        check_refused(b"GET / HTTP/1.1", expected);
        let mut bytes = Vec::new();
        let longest = "x".repeat(BYTES_MAX - 2);
        write_frame(&mut bytes, &longest, BYTES_MAX).unwrap();
        assert_eq!(read(&bytes).unwrap(), longest);
        bytes.clear();
        let too_long = "x".repeat(BYTES_MAX - 1);
        let error = write_frame(&mut bytes, &too_long, BYTES_MAX).unwrap_err();
        assert!(matches!(error, FrameError::TooLong { bytes: 65, bytes_max: 64 }), "{error}");
        assert_eq!(bytes, b"");
    }

    proptest! {
        #[test]
        fn whatever_arrives_is_a_frame_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
            if let Ok(value) = read(&bytes) {
                let length = usize::from(bytes[3]);
                prop_assert_eq!(value, serde_json::from_slice::<Value>(&bytes[4..4 + length]).unwrap());
            }
        }
    }
}
