//! The URL of a flake, as `plasmagen init` writes it into a `flake.nix`.

use anyhow::{Result, bail, ensure};

/// The URL of a flake (nix3-flake(1), "Flake references"), which may stand between the quotes of a Nix string. Whether
/// there is a flake at the URL, and whether Nix knows its scheme, is for Nix to say.
#[derive(Clone, Debug)]
pub(super) struct FlakeUrl(String);

/// Whether URLs consist of this character (RFC 3986, section 2). The `#` of a fragment is left out: an input is a whole
/// flake. Of these characters none ends a string of Nix, and no two together begin an escape or `${`.
fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c)
}

impl FlakeUrl {
    /// Parses the URL of a flake. Errors do not quote the text, since it could hold a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if let Some(odd) = text.chars().find(|c| !is_url_char(*c)) {
            let help = if odd == '#' { "an input is a whole flake, without a #" } else { "write it as %XX" };
            bail!("{odd:?} has no place in the URL of a flake: {help}");
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            bail!(
                "not the URL of a flake: write, for example, git+https://host/repository or path:/directory"
            );
        };
        let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
        let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
        ensure!(
            user.is_none_or(|user| scheme.ends_with("ssh") && !user.contains(':')),
            "a URL in flake.nix holds no user or password, since everybody can read them in git and in the Nix store: \
             name them in access-tokens or netrc-file of nix.conf"
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
    fn the_url_of_a_flake_is_taken_as_it_is() {
        for url in [
            "flake:plasmagen",
            "github:owner/plasmagen/v1.0?dir=sub&rev=0123",
            "gitlab:group%2Fsub/plasmagen",
            "git+ssh://git@git.example.com/plasmagen",
            "git+file:///srv/plasmagen",
            "path:/srv/a%20b",
            "https://example.com/plasmagen.tar.gz",
        ] {
            assert_eq!(FlakeUrl::parse(url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_text_that_could_leave_its_string_or_holds_a_password_is_refused() {
        for (url, why) in [
            ("", "not the URL"),
            ("../plasmagen", "not the URL"),
            ("github:a/b#c", "without a #"),
            ("github:a/b\"; x = \"", "'\"' has no place"),
            ("github:a/${builtins.readFile ./x}", "'{' has no place"),
            ("github:a/b\\", "has no place"),
            ("github:a/b\nc", "'\\n' has no place"),
            ("path:/a b", "%XX"),
            ("github:a/\u{202e}b", "'\\u{202e}' has no place"),
            ("https://user:secret@example.com/a", "no user or password"),
            ("https://token@example.com/a", "no user or password"),
            ("git+ssh://git:secret@example.com/a", "no user or password"),
        ] {
            let error = FlakeUrl::parse(url).unwrap_err().to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
