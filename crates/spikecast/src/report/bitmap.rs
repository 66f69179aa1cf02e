//! A vector picture as PNG, with letters that travel inside the program.

use std::sync::{Arc, LazyLock};

use epaint_default_fonts::UBUNTU_LIGHT;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use thiserror::Error;

/// So many pixels for each unit of the picture: sharp on paper and on good screens.
const SCALE: f32 = 2.0;

/// Why a picture could not be turned into a bitmap.
#[derive(Debug, Error)]
pub enum BitmapError {
    /// It is not a picture that we can read.
    #[error("the picture cannot be drawn")]
    Vector(#[from] resvg::usvg::Error),
    /// It is empty or too large.
    #[error("a picture of {width} × {height} units cannot be a bitmap")]
    Size {
        /// Its width.
        width: f32,
        /// Its height.
        height: f32,
    },
    /// The bitmap could not be encoded.
    #[error("the bitmap cannot be encoded: {0}")]
    Encoding(String),
}

/// Turns SVG into PNG.
pub fn png(svg: &str) -> Result<Vec<u8>, BitmapError> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(UBUNTU_LIGHT.to_vec());
        fonts.set_sans_serif_family("Ubuntu");
        Arc::new(fonts)
    });
    let options = Options { fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size();
    let too_large = || BitmapError::Size { width: size.width(), height: size.height() };
    let pixels = size.to_int_size().scale_by(SCALE).ok_or_else(too_large)?;
    let mut bitmap = Pixmap::new(pixels.width(), pixels.height()).ok_or_else(too_large)?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut bitmap.as_mut());
    bitmap.encode_png().map_err(|error| BitmapError::Encoding(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 60 20\">\
        <text x=\"2\" y=\"15\" font-family=\"Ubuntu\">$/MWh</text></svg>";

    #[test]
    fn letters_leave_ink_on_every_machine() {
        let bitmap = Pixmap::decode_png(&png(TEXT).unwrap()).unwrap();
        assert_eq!((bitmap.width(), bitmap.height()), (120, 40));
        let ink = bitmap.pixels().iter().filter(|pixel| 0 < pixel.alpha()).count();
        assert!(200 < ink, "{ink} pixels");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(png("<p>no</p>"), Err(BitmapError::Vector(_))));
    }
}
