//! The page's pictures as SVG and PNG files.

use std::path::{Path, PathBuf};

use market::table::{WriteError, write_atomically};
use thiserror::Error;

use crate::report::{BacktestPage, BitmapError, png};

/// Why a picture could not be left as a file.
#[derive(Debug, Error)]
pub enum FigureError {
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// It could not be turned into a bitmap.
    #[error("figure {name}")]
    Bitmap {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        cause: BitmapError,
    },
}

/// Writes every picture of a page into a folder; returns the files.
pub fn write_figures(folder: &Path, page: &BacktestPage) -> Result<Vec<PathBuf>, FigureError> {
    let mut written = Vec::new();
    for figure in page.figures() {
        let bitmap = png(&figure.svg)
            .map_err(|cause| FigureError::Bitmap { name: figure.name.clone(), cause })?;
        for (ending, bytes) in [("svg", figure.svg.as_bytes()), ("png", &bitmap)] {
            let path = folder.join(format!("{}.{ending}", figure.name));
            write_atomically(&path, |file| file.write_all(bytes))?;
            written.push(path);
        }
    }
    Ok(written)
}
