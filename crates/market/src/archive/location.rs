//! Where an archive is: a folder, or a prefix in a bucket with what its store wants to know.
//!
//! It opens nothing. Options come from the caller, since only the program reads the environment;
//! they may hold secrets and are never printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::error::ArchiveError;

/// Where an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveLocation {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A prefix in a bucket.
    Bucket(Bucket),
}

/// A prefix in a bucket of an object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Whose.
    pub(super) provider: Provider,
    /// `s3://bucket`, without the prefix.
    pub(super) url: String,
    /// Below which the archive is, without slashes at its ends; may be empty.
    pub(super) prefix: String,
    /// What the store wants to know.
    pub(super) options: StoreOptions,
}

/// Who keeps the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    S3,
    GoogleCloud,
    Azure,
}

/// What an object store wants to know, by the names of the environment variables of its own
/// tools, e.g. `AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME`.
/// Values are never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreOptions(BTreeMap<String, String>);

impl StoreOptions {
    /// Collects options; names that the store does not know are passed over, so that a whole
    /// environment can be given.
    pub fn new(options: impl IntoIterator<Item = (String, String)>) -> Self {
        const PREFIXES: [&str; 3] = ["aws_", "google_", "azure_"];
        let lower = options.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        Self(lower.filter(|(name, _)| PREFIXES.iter().any(|p| name.starts_with(p))).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Removes from a text what must not be printed: every option's value, and what follows a
    /// question mark in an address, where signatures are.
    pub(super) fn redact(&self, text: &str) -> String {
        /// Shorter values are flags and region-like words, and would blank half of the text.
        const SECRET_LENGTH_MIN: usize = 8;
        const PUBLIC: [&str; 6] =
            ["region", "endpoint", "bucket", "account_name", "container", "service_account"];
        let mut text = text.to_owned();
        for (name, value) in self.iter() {
            let is_public = PUBLIC.iter().any(|public| name.ends_with(public));
            if !is_public && SECRET_LENGTH_MIN <= value.len() {
                text = text.replace(value, "…");
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut is_hidden = false;
        for c in text.chars() {
            if c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '>' | '<') {
                is_hidden = false;
            }
            if !is_hidden {
                shown.push(c);
            }
            if c == '?' {
                is_hidden = true;
            }
        }
        shown
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ArchiveLocation {
    /// Reads a location: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, or
    /// else a folder.
    pub fn parse(text: &str, options: StoreOptions) -> Result<Self, ArchiveError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // Everything before an @ could be a credential.
        let shown = format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default());
        let bad = |reason: &str| ArchiveError::BadLocation {
            location: shown.clone(),
            reason: reason.to_owned(),
        };
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::GoogleCloud,
            "az" => Provider::Azure,
            _ => return Err(bad("expected a folder, s3://…, gs://… or az://…")),
        };
        if authority.contains('@') || rest.contains('?') {
            return Err(bad(
                "holds more than bucket and prefix; give credentials as the store's options, e.g. AWS_ACCESS_KEY_ID in the environment",
            ));
        }
        if authority.is_empty() {
            return Err(bad("names no bucket; expected e.g. s3://bucket/prefix"));
        }
        let prefix = prefix.trim_matches('/').to_owned();
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err(bad("its prefix has an empty part, or '.' or '..'"));
        }
        Ok(Self::Bucket(Bucket { provider, url: shown, prefix, options }))
    }
}

impl ArchiveLocation {
    /// Returns where a folder of this place is.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(path.join(folder)),
            Self::Bucket(bucket) => {
                let prefix = match bucket.prefix.as_str() {
                    "" => folder.to_owned(),
                    prefix => format!("{prefix}/{folder}"),
                };
                Self::Bucket(Bucket { prefix, ..bucket.clone() })
            }
        }
    }
}

impl fmt::Display for ArchiveLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(Bucket { url, prefix, .. }) if prefix.is_empty() => f.write_str(url),
            Self::Bucket(Bucket { url, prefix, .. }) => write!(f, "{url}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> StoreOptions {
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        StoreOptions::new([
            option("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"),
            option("aws_region", "us-east-1"),
            option("PATH", "/bin/secret-looking"),
        ])
    }

    #[test]
    fn a_location_is_a_url_or_a_folder() {
        let parse = |text: &str| ArchiveLocation::parse(text, options());
        let shown = |text: &str| parse(text).unwrap().to_string();
        assert_eq!(parse("data/archive").unwrap(), ArchiveLocation::Folder("data/archive".into()));
        assert_eq!(shown("s3://bucket/market/archive/"), "s3://bucket/market/archive");
        assert_eq!(shown("gs://bucket"), "gs://bucket");
        let below = |text: &str| parse(text).unwrap().below("mis").to_string();
        assert_eq!(below("s3://bucket/market/"), "s3://bucket/market/mis");
        assert_eq!(below("gs://bucket"), "gs://bucket/mis");
        assert_eq!(below("data/archive"), "data/archive/mis");
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(refused("ftp://bucket").contains("expected a folder, s3://…"));
        assert!(refused("s3:///prefix").contains("names no bucket"));
        assert!(refused("s3://bucket/a/../b").contains("'..'"));
        let message = refused("s3://key:hunter2@bucket/x?token=hunter2");
        assert!(message.contains("options") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let location = ArchiveLocation::parse("s3://bucket/x", options()).unwrap();
        let debug = format!("{location:?} {:?}", options());
        assert!(debug.contains("aws_secret_access_key") && !debug.contains("hunter2"), "{debug}");
        let said = "PUT https://b.example/x?sig=abc&se=1 \"us-east-1\" denied hunter2hunter2";
        let shown = "PUT https://b.example/x? \"us-east-1\" denied …";
        assert_eq!(options().redact(said), shown);
    }
}
