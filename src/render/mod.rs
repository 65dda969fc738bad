//! The renderer: fills templates with values, in the syntax of each target language.
//!
//! **A hole is a whole token.** In a template, `{{ x }}` prints the complete literal of the target language, with quotes;
//! `{{ x|bare }}` prints an unquoted word that was checked; `{{ x|name }}` prints the name of an attribute. The template's
//! name tells the language: `dhcpd.dhcp.j2` is written in the dialect `dhcp`. No template can avoid its dialect: there is
//! no `safe`, no `tojson`, no unescaped template, and an undefined value is an error. A value that a language cannot
//! express is refused, never changed. JSON is never a template: use `serde_json`.
//!
//! Beside these, templates have `length`, `is defined` and `is none`, and Jinja's `for`, `if`, `set` and `macro`. The rest
//! of a line with nothing but a block tag is dropped (`trim_blocks`, `lstrip_blocks`), and a file ends as its template
//! ends.

mod dialect;
mod dialects;

use anyhow::Context as _;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior};
use serde::Serialize;

use dialect::{Dialect, refuse};

/// A template: its name, such as `configuration.nix.j2`, and its source.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// The name, `NAME.DIALECT.j2`.
    pub name: &'static str,
    /// The source.
    pub source: &'static str,
}

/// The template of that name in `templates/`, embedded in the program.
macro_rules! template {
    ($name:literal) => {
        $crate::render::Template {
            name: $name,
            source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name)),
        }
    };
}
pub(crate) use template;

/// All templates, compiled once. Threads share a renderer by reference.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    /// Compiles `templates`.
    ///
    /// # Errors
    /// When a name is not `NAME.DIALECT.j2` with a dialect that exists, when two templates have one name, or when a
    /// source is no template. Templates are embedded in the program, so each of these is a bug in plasmagen.
    pub fn new(templates: &[Template]) -> anyhow::Result<Self> {
        let mut environment = Environment::empty();
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .context("could not configure the template syntax")?,
        );
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(choose_escape);
        environment.set_formatter(print);
        environment.add_filter("bare", print_bare);
        environment.add_filter("name", print_name);
        environment.add_filter("length", minijinja::filters::length);
        environment.add_test("defined", minijinja::tests::is_defined);
        environment.add_test("none", minijinja::tests::is_none);
        for &Template { name, source } in templates {
            dialects::find_for_template(name)?;
            anyhow::ensure!(environment.get_template(name).is_err(), "two templates are named {name}");
            environment.add_template(name, source).with_context(|| format!("could not compile {name}"))?;
        }
        Ok(Self { environment })
    }

    /// Fills the holes of the template `name` with the fields of `context`.
    ///
    /// # Errors
    /// When there is no such template, a hole is undefined, or the template's language cannot express a value. The
    /// inventory was found sound before anything is rendered, so each of these is a bug in plasmagen, and the error says
    /// so. The error names the template, quotes the line with the hole, and tells why.
    pub fn render(&self, name: &str, context: impl Serialize) -> anyhow::Result<String> {
        let bug =
            || format!("could not render {name}: a bug in plasmagen, not in the inventory; please report it");
        let template = self.environment.get_template(name).with_context(bug)?;
        template
            .render(Serde(context))
            .map_err(|error| quote_line(template.source(), error))
            .with_context(bug)
    }
}

/// Puts the template's line before minijinja's message.
fn quote_line(source: &str, error: Error) -> anyhow::Error {
    match error.line().and_then(|number| Some((number, source.lines().nth(number - 1)?))) {
        Some((number, line)) => {
            let line = format!("line {number}, `{}`", line.trim());
            anyhow::Error::new(error).context(line)
        }
        None => error.into(),
    }
}

/// Chooses a template's auto-escape: its dialect. `{% autoescape %}` cannot choose another mode, since [`print()`] knows
/// no other mode.
fn choose_escape(template: &str) -> AutoEscape {
    match dialects::find_for_template(template) {
        Ok(dialect) => AutoEscape::Custom(dialect.extension().into()),
        Err(_) => AutoEscape::None,
    }
}

fn find_dialect(state: &State) -> Result<&'static dyn Dialect, Error> {
    match state.auto_escape() {
        AutoEscape::Custom(extension) => dialects::find(extension),
        _ => None,
    }
    .ok_or_else(|| refuse("a hole outside of any dialect"))
}

/// Prints the value of a hole. A safe string was made by [`print_bare`], [`print_name`], a macro or a `{% set %}` block,
/// and each of these has already printed by the dialect.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let dialect = find_dialect(state)?;
    match value.as_str() {
        Some(text) if value.is_safe() => Ok(out.write_str(text)?),
        _ => dialect.write_literal(out, value),
    }
}

fn print_bare(state: &State, value: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    find_dialect(state)?.write_bare(&mut out, value)?;
    Ok(Value::from_safe_string(out))
}

fn print_name(state: &State, value: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    let text = value.as_str().ok_or_else(|| refuse(format!("a name is a string, not {value:?}")))?;
    find_dialect(state)?.write_name(&mut out, text)?;
    Ok(Value::from_safe_string(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use serde_json::json;

    fn renderer(source: &'static str) -> Renderer {
        Renderer::new(&[Template { name: "test.nix.j2", source }]).unwrap()
    }

    #[test]
    fn a_dialect_comes_from_the_name() {
        for name in ["x.j2", "nix.j2", "x.nix", "x.conf.j2", "x.nix.j2.bak", ""] {
            assert!(Renderer::new(&[Template { name, source: "" }]).is_err(), "{name:?}");
        }
        let error = Renderer::new(&[Template { name: "x.html.j2", source: "" }]).unwrap_err().to_string();
        assert_eq!(
            error,
            "x.html.j2 is not named NAME.DIALECT.j2 with one of the dialects dhcp, dnsmasq, iptables, ipxe, named, nft, nginx, nix, shell, zone"
        );
        let template = |source| Template { name: "x.nix.j2", source };
        assert!(Renderer::new(&[template(""), template("")]).is_err());
        assert!(Renderer::new(&[template("{% if %}")]).is_err());
    }

    #[test]
    fn an_error_names_the_line_the_hole_and_why() {
        let error =
            renderer("{\n  a = {{ b }};\n}\n").render("test.nix.j2", json!({ "b": "c\nd" })).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "could not render test.nix.j2: a bug in plasmagen, not in the inventory; please report it: \
             line 2, `a = {{ b }};`: \
             invalid operation: \"c\\nd\" holds '\\n': no output takes a control character (in test.nix.j2:2)"
        );
    }

    #[test]
    fn nothing_undefined_is_printed() {
        for source in
            ["{{ x }}", "{{ x|bare }}", "{{ x|name }}", "{{ y.x }}", "{% if x %}{% endif %}", "{{ [x] }}"]
        {
            assert!(renderer(source).render("test.nix.j2", json!({ "y": {} })).is_err(), "{source}");
        }
        assert_eq!(renderer("{{ x is defined }}").render("test.nix.j2", json!({})).unwrap(), "false");
        assert!(renderer("").render("other.nix.j2", json!({})).is_err());
    }

    #[test]
    fn no_way_round_the_dialect() {
        let x = json!({ "x": "a\"b" });
        for source in [
            "{{ x|safe }}",
            "{{ x|tojson }}",
            "{% autoescape false %}{{ x }}{% endautoescape %}",
            "{{ x|bare }}",
        ] {
            assert!(renderer(source).render("test.nix.j2", &x).is_err(), "{source}");
        }
        for (source, printed) in [
            ("{% macro m(y) %}[ {{ y }} ]{% endmacro %}{{ m(x) }}", r#"[ "a\"b" ]"#),
            ("{% set y %}[ {{ x }} ]{% endset %}{{ y }}", r#"[ "a\"b" ]"#),
            ("{% set y = x %}{{ y }}", r#""a\"b""#),
            (r#"{{ "${" ~ x }}"#, r#""\${a\"b""#),
            (r#"{{ "c"|bare ~ x }}"#, r#"c"a\"b""#),
            (r#"{{ ["c"|bare, x] }}"#, r#"[ "c" "a\"b" ]"#),
        ] {
            assert_eq!(renderer(source).render("test.nix.j2", &x).unwrap(), printed, "{source}");
        }
    }

    #[test]
    fn tags_leave_no_blank_lines() {
        let source = "[\n  {% for x in xs %}\n  {{ x }}\n  {% endfor %}\n]\n";
        assert_eq!(
            renderer(source).render("test.nix.j2", json!({ "xs": [1, 2] })).unwrap(),
            "[\n  1\n  2\n]\n"
        );
    }

    #[test]
    fn threads_share_one_renderer() {
        let renderer = renderer("{{ x }}");
        (0..1000).into_par_iter().for_each(|x| {
            assert_eq!(renderer.render("test.nix.j2", json!({ "x": x })).unwrap(), x.to_string());
        });
    }
}
