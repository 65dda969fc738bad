//! Where Nix finds a flake: the URL of an input, as `plasmagen init` writes it into a `flake.nix`.

use anyhow::{Result, bail, ensure};

/// The URL of a flake (nix3-flake(1), "Flake references"), which stands in a string of Nix as it is.
#[derive(Clone, Debug)]
pub(super) struct FlakeUrl(String);

/// The kinds of URL that Nix takes for an input. Relative paths are none: a flake in the store has no neighbours.
const SCHEMES: [&str; 18] = [
    "flake",
    "github",
    "gitlab",
    "sourcehut",
    "git",
    "git+file",
    "git+http",
    "git+https",
    "git+ssh",
    "hg+file",
    "hg+http",
    "hg+https",
    "hg+ssh",
    "http",
    "https",
    "path",
    "tarball+http",
    "tarball+https",
];

/// Of these, those that are short for a repository of a forge.
const FORGES: [&str; 3] = ["github", "gitlab", "sourcehut"];

/// What a URL consists of (RFC 3986, section 2), but for the `#` of a fragment: an input has none. Of these, no two
/// together mean anything to Nix in a string.
fn url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

impl FlakeUrl {
    /// The flake at `text`. What is wrong with another text does not quote it: it could hold a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if let Some(odd) = text.chars().find(|c| !(c.is_ascii() && url_byte(*c as u8))) {
            let help = if odd == '#' { "an input is a whole flake, without a #" } else { "write it as %XX" };
            bail!("{odd:?} has no place in the URL of a flake: {help}");
        }
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| SCHEMES.contains(scheme)) else {
            bail!("the URL of a flake begins with one of {}:", SCHEMES.join(":, "));
        };
        let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
        let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
        ensure!(
            user.is_none_or(|user| scheme.ends_with("ssh") && !user.contains(':')),
            "a URL in flake.nix holds no user or password, which git and the store would show to everybody: name them in \
             access-tokens or netrc-file of nix.conf"
        );
        ensure!(
            !rest.trim_start_matches('/').is_empty() && (scheme != "path" || rest.starts_with('/')),
            "the URL names no flake: write, for example, git+https://host/repository or path:/directory"
        );
        let path = rest.split('?').next().unwrap_or_default();
        ensure!(
            !FORGES.contains(&scheme) || path.split('/').filter(|part| !part.is_empty()).count() >= 2,
            "{scheme}: names an owner and a repository: write {scheme}:owner/repository"
        );
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nix_takes_for_an_input_is_taken() {
        for url in [
            "flake:plasmagen",
            "github:owner/plasmagen",
            "github:owner/plasmagen/v1.0?dir=sub&rev=0123",
            "gitlab:group%2Fsub/plasmagen",
            "git+https://git.example.com/plasmagen?ref=main",
            "git+ssh://git@git.example.com/plasmagen",
            "git+file:///srv/plasmagen",
            "path:/srv/a%20b",
            "https://example.com/plasmagen.tar.gz",
        ] {
            assert_eq!(FlakeUrl::parse(url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn what_is_no_flake_or_more_than_a_string_is_refused_with_the_reason() {
        for (url, why) in [
            ("", "begins with one of"),
            ("plasmagen", "begins with one of"),
            ("./plasmagen", "begins with one of"),
            ("path:./plasmagen", "names no flake"),
            ("github:", "names no flake"),
            ("github:owner", "names an owner and a repository"),
            ("gitlab:owner/?dir=a/b", "names an owner and a repository"),
            ("https://", "names no flake"),
            ("htps://example.com/a", "begins with one of"),
            ("javascript:alert(1)", "begins with one of"),
            ("--plasmagen", "begins with one of"),
            ("github:a/b#c", "without a #"),
            ("github:a/b\"; x = \"", "'\"' has no place"),
            ("github:a/${builtins.readFile ./x}", "'{' has no place"),
            ("github:a/b\\", "has no place"),
            ("github:a/b\nc", "'\\n' has no place"),
            ("path:/a b", "%XX"),
            ("github:a/\u{202e}b", "'\\u{202e}' has no place"),
            ("https://user:secret@example.com/a", "holds no user or password"),
            ("https://token@example.com/a", "holds no user or password"),
            ("git+ssh://git:secret@example.com/a", "holds no user or password"),
        ] {
            let error = FlakeUrl::parse(url).unwrap_err().to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
