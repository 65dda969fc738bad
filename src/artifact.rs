//! Artifacts: the files that outputs make in memory, and that [`write`](crate::write) writes to disk.
//!
//! An [`Artifact`] is never a secret. Private keys have another type and another writer, the
//! [vault](crate::pki::vault).

use std::collections::BTreeMap;
use std::fmt;

use crate::model::is_normal_path;

/// The path of an artifact, relative to the directory of the inventory: `nodes/…` or `site/…`.
///
/// The path has one or more components joined by `/`, each 1 to 255 bytes of `[A-Za-z0-9._+-]`, none of them `.` or `..`.
/// So it cannot leave its directory, and it means the same file on every file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Parses the path of an artifact.
    ///
    /// # Errors
    /// When `path` is of another form. Since paths are made of validated names, that is a bug of plasmagen.
    pub fn new(path: impl Into<String>) -> anyhow::Result<Self> {
        let path = path.into();
        let is_portable = |part: &str| {
            part.len() <= 255 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
        };
        anyhow::ensure!(
            is_normal_path(&path) && path.split('/').all(is_portable),
            "{path:?} is not the path of an artifact"
        );
        Ok(Self(path))
    }

    /// The path as text, with `/` between components.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file to be written, which is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The path of the file.
    pub path: ArtifactPath,
    /// Whether the file has mode 0755, instead of 0644.
    pub executable: bool,
    /// The whole content of the file.
    pub body: Vec<u8>,
}

impl Artifact {
    /// A file with mode 0644.
    ///
    /// # Errors
    /// When `path` is not the path of an artifact: see [`ArtifactPath::new`].
    pub fn new(path: impl Into<String>, body: impl Into<Vec<u8>>) -> anyhow::Result<Self> {
        Ok(Self { path: ArtifactPath::new(path)?, executable: false, body: body.into() })
    }
}

/// Artifacts, ordered by path: whatever is made from them has a stable order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactSet(BTreeMap<ArtifactPath, Artifact>);

impl ArtifactSet {
    /// Adds `artifact`.
    ///
    /// # Errors
    /// When the set has an artifact with that path: two outputs would overwrite each other.
    pub fn insert(&mut self, artifact: Artifact) -> anyhow::Result<()> {
        anyhow::ensure!(!self.0.contains_key(&artifact.path), "two outputs write {}", artifact.path);
        self.0.insert(artifact.path.clone(), artifact);
        Ok(())
    }

    /// The artifacts in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Artifact> {
        self.0.values()
    }

    /// The artifact with that path.
    #[must_use]
    pub fn get(&self, path: &ArtifactPath) -> Option<&Artifact> {
        self.0.get(path)
    }

    /// The number of artifacts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set has no artifacts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_tree() {
        for bad in ["", "/etc/passwd", "nodes//x", "nodes/../x", "./x", "nodes/", "a\\b", "a\nb", "a b", "é"]
        {
            assert!(ArtifactPath::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            ArtifactPath::new("nodes/n1.example.com/disko.nix").unwrap().as_str(),
            "nodes/n1.example.com/disko.nix"
        );
    }

    #[test]
    fn one_path_belongs_to_one_output() {
        let mut set = ArtifactSet::default();
        set.insert(Artifact::new("site/x", "1").unwrap()).unwrap();
        assert!(set.insert(Artifact::new("site/x", "2").unwrap()).is_err());
        assert_eq!(set.len(), 1);
    }
}
