//! Small pictures.

use std::{borrow::Cow, ops::RangeInclusive, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use imagesize::{ImageSize, ImageType};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest, Sha256};

use super::Invalid;

/// Of a picture, in bytes: it lies in the log.
const PICTURE_BYTES_MAX: usize = 64 * 1024;
/// Of its width and height, in pixels: more than paper shows, and no more than can be unpacked with little memory.
const SIDE: RangeInclusive<usize> = 16..=2000;

/// A PNG or a JPEG of at most 64 KiB and 16 to 2000 pixels on each side, in base64. SVG is refused: it can hold scripts and
/// references, and grow without end when it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Picture {
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.bytes)
    }

    /// In hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl FromStr for Picture {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| Invalid::because("a picture is written in base64"))?;
        if bytes.len() > PICTURE_BYTES_MAX {
            return Err(Invalid::because(format!("a picture has at most {PICTURE_BYTES_MAX} bytes")));
        }
        let media_type = match imagesize::image_type(&bytes) {
            Ok(ImageType::Png) => "image/png",
            Ok(ImageType::Jpeg) => "image/jpeg",
            _ => return Err(Invalid::because("a picture is a PNG or a JPEG")),
        };
        match imagesize::blob_size(&bytes) {
            Ok(ImageSize { width, height }) if SIDE.contains(&width) && SIDE.contains(&height) => {
                Ok(Self { media_type, bytes })
            }
            Ok(_) => {
                let (least, most) = (SIDE.start(), SIDE.end());
                Err(Invalid::because(format!("a picture has {least} to {most} pixels on each side")))
            }
            Err(_) => Err(Invalid::because("the picture is not whole")),
        }
    }
}

impl<'de> Deserialize<'de> for Picture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Picture {
    fn schema_name() -> Cow<'static, str> {
        "Picture".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64",
            "description": "A PNG or a JPEG of at most 64 KiB and 16 to 2000 pixels on each side, in base64.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a PNG of that size.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let header = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes()];
        [header.concat(), vec![8, 6, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    fn parsed(bytes: &[u8]) -> Result<Picture, Invalid> {
        BASE64_STANDARD.encode(bytes).parse()
    }

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        let picture = parsed(&png(64, 32)).unwrap();
        assert_eq!((picture.media_type(), picture.base64()), ("image/png", BASE64_STANDARD.encode(png(64, 32))));
        assert_eq!(picture.sha256().len(), 64);
    }

    #[test]
    fn what_is_no_small_picture_is_refused() {
        let long = [png(64, 32), vec![0; PICTURE_BYTES_MAX]].concat();
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
        for bytes in [png(8, 32), png(64, 2001), long, svg, Vec::new(), vec![0xff, 0xd8, 0xff]] {
            assert!(parsed(&bytes).is_err(), "{} bytes", bytes.len());
        }
        assert!("not base64!".parse::<Picture>().is_err());
    }
}
