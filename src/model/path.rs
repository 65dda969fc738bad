//! The form of paths, for every type that holds one.

/// Whether `path` is relative and normal: each part between slashes is a name, and none is empty, `.` or `..`. Such a path
/// cannot leave the directory that it starts from, and no other text means the same file.
#[must_use]
pub fn is_normal_path(path: &str) -> bool {
    path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_path_has_names_only() {
        for path in ["a", "a/b.c", "..a/b..", "..."] {
            assert!(is_normal_path(path), "{path}");
        }
        for path in ["", "/a", "a/", "a//b", ".", "a/./b", "..", "a/../b"] {
            assert!(!is_normal_path(path), "{path}");
        }
    }
}
