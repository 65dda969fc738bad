//! Parses a file of allowed signers as ssh-keygen does (ssh-keygen(1), ALLOWED SIGNERS; sshsig.c and auth-options.c of
//! OpenSSH). A form that plasmagen can't check is refused by name: to pass over a form would be to trust a key too much.

use anyhow::{Context, Result, bail, ensure};
use ssh_key::PublicKey;
use ssh_key::public::KeyData;
use time::{Date, Month, OffsetDateTime, Time};

use super::patterns::matches_list;
use crate::model::is_ssh_key_type;

/// A key that may sign, and when.
#[derive(Clone, Debug)]
pub(super) struct AllowedKey {
    pub(super) key: KeyData,
    /// From when on the key's signatures count.
    pub(super) valid_after: Option<OffsetDateTime>,
    /// Until when the key's signatures count.
    pub(super) valid_before: Option<OffsetDateTime>,
}

impl AllowedKey {
    /// A key whose signatures always count.
    pub(super) fn always(key: KeyData) -> Self {
        Self { key, valid_after: None, valid_before: None }
    }

    /// Whether the key's signatures count at `now`.
    pub(super) fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.valid_after.is_none_or(|after| now >= after)
            && self.valid_before.is_none_or(|before| now <= before)
    }
}

/// Parses the lines of `text`; returns the keys that may sign for `namespace`.
pub(super) fn parse(text: &str, namespace: &str) -> Result<Vec<AllowedKey>> {
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_ascii();
        if !line.is_empty() && !line.starts_with('#') {
            let key =
                parse_line(line, namespace).with_context(|| format!("line {} of the signers", number + 1))?;
            keys.extend(key);
        }
    }
    Ok(keys)
}

/// The options of a line.
#[derive(Default)]
struct Options {
    namespaces: Option<String>,
    valid_after: Option<OffsetDateTime>,
    valid_before: Option<OffsetDateTime>,
}

/// Parses a line `PRINCIPALS [OPTIONS] TYPE KEY`; none where its key may not sign for `namespace`.
fn parse_line(line: &str, namespace: &str) -> Result<Option<AllowedKey>> {
    let (principals, rest) = split_principals(line)?;
    // ssh-keygen is asked for one principal, and plasmagen for any.
    ensure!(
        !principals.split(',').any(|pattern| pattern.starts_with('!')),
        "plasmagen asks for no principal, so it can't check the pattern {}: name the principals that may sign",
        principals.escape_debug()
    );
    ensure!(
        !is_ssh_key_type(&principals),
        "it is a public key without principals, as in a .pub file: write the name of its owner before it, such as \
         ops@example.com {principals} AAAA…"
    );
    ensure!(!rest.is_empty(), "it has no key: write PRINCIPALS TYPE KEY, as ssh-keygen(1) says");
    let (options, key) = match PublicKey::from_openssh(rest) {
        Ok(key) => (Options::default(), key),
        Err(error) if rest.split([' ', '\t']).next().is_some_and(is_ssh_key_type) => {
            return Err(error).context("its public key can't be read");
        }
        Err(_) => {
            let (options, rest) = split_options(rest)?;
            let options = parse_options(options)?;
            let key =
                PublicKey::from_openssh(rest).context("it has no public key that plasmagen can read")?;
            (options, key)
        }
    };
    if !options.namespaces.is_none_or(|namespaces| matches_list(namespace, &namespaces)) {
        return Ok(None);
    }
    let Options { valid_after, valid_before, .. } = options;
    Ok(Some(AllowedKey { key: key.key_data().clone(), valid_after, valid_before }))
}

/// Splits off the principals: up to a blank, or up to the end of the first quotation (strdelim of misc.c).
fn split_principals(line: &str) -> Result<(String, &str)> {
    let end = line.find([' ', '\t', '"']).unwrap_or(line.len());
    let (before, rest) = line.split_at(end);
    let Some(quoted) = rest.strip_prefix('"') else {
        return Ok((before.to_owned(), rest.trim_ascii_start()));
    };
    let (inside, rest) = quoted.split_once('"').context("its quotation does not end")?;
    Ok((format!("{before}{inside}"), rest.trim_ascii_start()))
}

/// Splits off the options: up to a blank outside of quotations (`sshkey_advance_past_options` of OpenSSH).
fn split_options(line: &str) -> Result<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b' ' | b'\t' if !is_quoted => return Ok((&line[..at], line[at..].trim_ascii_start())),
            b'"' if !is_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        is_escaped = byte == b'\\';
    }
    ensure!(!is_quoted, "its quotation does not end");
    bail!("it has no key: write PRINCIPALS TYPE KEY, as ssh-keygen(1) says")
}

/// Parses the options, which are separated by commas. Names are read without regard to case, as ssh-keygen does.
fn parse_options(text: &str) -> Result<Options> {
    let mut options = Options::default();
    let mut rest = text;
    loop {
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let lower = name.to_ascii_lowercase();
        if !["namespaces", "valid-after", "valid-before"].contains(&lower.as_str()) {
            bail!("it has the option {}, which plasmagen can't check", name.escape_debug());
        }
        let value = after.strip_prefix('=').with_context(|| format!("its option {lower} has no value"))?;
        let (value, after) = dequote(value).with_context(|| format!("its option {lower}"))?;
        let is_first = match lower.as_str() {
            "namespaces" => options.namespaces.replace(value).is_none(),
            "valid-after" => options.valid_after.replace(parse_time(&lower, &value)?).is_none(),
            _ => options.valid_before.replace(parse_time(&lower, &value)?).is_none(),
        };
        ensure!(is_first, "it has the option {lower} twice");
        if after.is_empty() {
            return Ok(options);
        }
        rest = after.strip_prefix(',').with_context(|| {
            format!("after its option {lower} stands {}, and no comma", after.escape_debug())
        })?;
    }
}

/// Splits off a value in quotation marks, in which `\"` stands for a quotation mark (`opt_dequote` of OpenSSH).
fn dequote(text: &str) -> Result<(String, &str)> {
    let inside = text.strip_prefix('"').context("its value must stand in quotation marks")?;
    let mut value = String::new();
    let mut chars = inside.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (char, chars.peek()) {
            ('"', _) => return Ok((value, &inside[at + 1..])),
            ('\\', Some((_, '"'))) => {
                value.push('"');
                chars.next();
            }
            _ => value.push(char),
        }
    }
    bail!("its quotation does not end")
}

/// Parses a time in UTC: `YYYYMMDD[HHMM[SS]]Z`. Without `Z` ssh-keygen takes the zone of the machine that verifies, so that
/// a signature would count on one machine and not on another: that is refused.
fn parse_time(option: &str, text: &str) -> Result<OffsetDateTime> {
    let shown = text.escape_debug();
    let upper = text.to_ascii_uppercase();
    let Some(digits) = upper.strip_suffix("UTC").or_else(|| upper.strip_suffix('Z')) else {
        bail!("its option {option} has the time {shown} of an unknown time zone: write {shown}Z, for UTC");
    };
    let is_known = [8, 12, 14].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(
        is_known,
        "its option {option} has {shown} instead of a time: write YYYYMMDDZ or YYYYMMDDHHMMSSZ"
    );
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Ok(0), str::parse::<u8>);
    let parse = || {
        let month = Month::try_from(number(4, 6)?)?;
        let date = Date::from_calendar_date(digits[..4].parse()?, month, number(6, 8)?)?;
        let time = Time::from_hms(number(8, 10)?, number(10, 12)?, number(12, 14)?)?;
        anyhow::Ok(date.with_time(time).assume_utc())
    };
    let time = parse().with_context(|| format!("its option {option} has {shown}, which is no time"))?;
    ensure!(
        time > OffsetDateTime::UNIX_EPOCH,
        "its option {option} has {shown}: ssh-keygen takes no time before 1970"
    );
    Ok(time)
}
