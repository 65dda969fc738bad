//! Files that exist only in memory yet: what outputs return and [`write`](crate::write) puts on disk.
//!
//! An [`Artifact`] is public by type. A private key is another type, with another writer: see
//! [`pki::vault`](crate::pki::vault).

use std::collections::BTreeMap;
use std::fmt;

/// Where a file goes, relative to the directory of the inventory: `nodes/…` or `site/…`.
///
/// Normal by construction: one or more components joined by `/`, each 1 to 255 bytes of `[A-Za-z0-9._+-]`, none of
/// them `.` or `..`. Such a path can neither leave its tree nor mean two things on two file systems.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Accepts `path` if it is normal.
    ///
    /// # Errors
    /// When it is not; since paths come from validated names, that is a bug of ours.
    pub fn new(path: impl Into<String>) -> anyhow::Result<Self> {
        let path = path.into();
        let normal = |part: &str| {
            (1..=255).contains(&part.len())
                && part != "."
                && part != ".."
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
        };
        anyhow::ensure!(path.split('/').all(normal), "{path:?} is not a path that an output may have");
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

/// A file to be written: never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it goes.
    pub path: ArtifactPath,
    /// Mode 0755 where true, 0644 otherwise.
    pub executable: bool,
    /// The whole content.
    pub body: Vec<u8>,
}

impl Artifact {
    /// An ordinary file.
    ///
    /// # Errors
    /// When `path` is not normal: see [`ArtifactPath::new`].
    pub fn new(path: impl Into<String>, body: impl Into<Vec<u8>>) -> anyhow::Result<Self> {
        Ok(Self { path: ArtifactPath::new(path)?, executable: false, body: body.into() })
    }
}

/// Artifacts by path, ordered, so that everything made from them is too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactSet(BTreeMap<ArtifactPath, Artifact>);

impl ArtifactSet {
    /// Adds `artifact`.
    ///
    /// # Errors
    /// When another artifact claims the same path: two outputs would overwrite one another.
    pub fn insert(&mut self, artifact: Artifact) -> anyhow::Result<()> {
        anyhow::ensure!(!self.0.contains_key(&artifact.path), "two outputs write {}", artifact.path);
        self.0.insert(artifact.path.clone(), artifact);
        Ok(())
    }

    /// The artifacts in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Artifact> {
        self.0.values()
    }

    /// The artifact at `path`, if there is one.
    #[must_use]
    pub fn get(&self, path: &ArtifactPath) -> Option<&Artifact> {
        self.0.get(path)
    }

    /// How many artifacts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
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
