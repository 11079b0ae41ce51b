//! A text with `{{ … }}` in it (`scripts.md` 2): compiled once per Script, rendered for each contact with no more
//! than the fields it names. Rendering is bounded in work and size; a field that is missing and has no `default` is
//! an error that names it, because it filters the contact.

use crate::field::{Field, Fields};
use crate::scan::{self, scan};
use crate::{filter, limits};
use minijinja::value::Object;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Why a text could not be rendered for a contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The contact lacks a field that has no `default`.
    #[error("the field {0} is missing")]
    MissingField(String),
    /// A value is not what a filter or an operator takes.
    #[error("a text cannot be rendered: {0}")]
    Invalid(String),
    /// Past the bounds of rendering.
    #[error(
        "a text takes more than {} bytes or too much work",
        limits::RENDERED_BYTES_MAX
    )]
    TooLarge,
    /// Past `maxParts` of the Script.
    #[error("a text takes {parts} parts; the script allows {parts_max}")]
    TooManyParts {
        /// What it takes.
        parts: usize,
        /// What `maxParts` allows.
        parts_max: usize,
    },
}

/// A template that cannot be used, at a byte of its source.
#[derive(Debug, PartialEq)]
pub(crate) struct CompileError {
    pub offset: usize,
    pub message: String,
}

/// A compiled template.
pub struct Template {
    source: String,
    /// [`TEXT`] or [`HTML`].
    kind: &'static str,
    names: Arc<[String]>,
    /// None for a constant, which is its own rendering.
    environment: Option<Box<Environment<'static>>>,
}

const TEXT: &str = "text";
/// What is put into a template of this name is escaped.
const HTML: &str = "html";

static LANGUAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // Empty: no functions, no filters, no loader and no escaping but what is added here.
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(limits::RENDER_FUEL));
    environment.set_debug(false);
    environment.set_auto_escape_callback(|name| match name {
        HTML => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    filter::register(&mut environment);
    environment
});

impl Template {
    /// Compiles a text; everything it names is checked now.
    pub(crate) fn compile(source: &str) -> Result<Template, CompileError> {
        Self::compile_as(TEXT, source, limits::TEMPLATE_BYTES_MAX)
    }

    /// Compiles HTML: every value put into it is escaped, in text and in quoted attributes alike.
    pub(crate) fn compile_html(source: &str) -> Result<Template, CompileError> {
        Self::compile_as(HTML, source, limits::HTML_BYTES_MAX)
    }

    fn compile_as(
        kind: &'static str,
        source: &str,
        bytes_max: usize,
    ) -> Result<Template, CompileError> {
        if source.len() > bytes_max {
            let message = format!("a text is longer than {bytes_max} bytes");
            return Err(CompileError { offset: 0, message });
        }
        let invalid = |scan::Fault { offset, message }| CompileError { offset, message };
        let found = scan(source).map_err(invalid)?;
        let mut environment = None;
        if !found.is_constant {
            let mut language = LANGUAGE.clone();
            language
                .add_template_owned(kind, source.to_owned())
                .map_err(|error| compile_error(source, &error))?;
            let template = language.get_template(kind).expect("it was added above");
            let undeclared = template.undeclared_variables(false);
            let known = |name: &str| {
                found
                    .names
                    .iter()
                    .any(|path| path.split('.').next() == Some(name))
            };
            // Sorted, so that the same source gives the same message.
            let mut unknown: Vec<&String> = undeclared.iter().filter(|name| !known(name)).collect();
            unknown.sort();
            if let Some(unknown) = unknown.first() {
                let offset = source.find(unknown.as_str()).unwrap_or_default();
                return Err(CompileError {
                    offset,
                    message: format!("there is no value {unknown}"),
                });
            }
            environment = Some(Box::new(language));
        }
        Ok(Template {
            source: source.to_owned(),
            kind,
            names: found.names.into_iter().collect(),
            environment,
        })
    }

    /// The paths it names: all that [`Fields::get`] will be asked for.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Renders it for a contact.
    pub fn render(&self, fields: &dyn Fields) -> Result<String, RenderError> {
        let Some(environment) = &self.environment else {
            return Ok(self.source.clone());
        };
        let values = self
            .names
            .iter()
            .map(|name| fields.get(name).map(value))
            .collect();
        let slots = Arc::new(Slots {
            names: self.names.clone(),
            values,
            missing: AtomicUsize::new(usize::MAX),
        });
        let context = Value::from_object(Space {
            slots: slots.clone(),
            prefix: String::new(),
        });
        let template = environment
            .get_template(self.kind)
            .expect("added when it was compiled");
        let mut output = Bounded(Vec::with_capacity(self.source.len() * 2));
        match template.render_captured_to(context, &mut output) {
            Ok(_) => {
                Ok(String::from_utf8(output.0)
                    .expect("the template engine writes whole characters"))
            }
            Err(error) => Err(render_error(&error, &slots)),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Template")
            .field(&self.source)
            .finish()
    }
}

fn compile_error(source: &str, error: &minijinja::Error) -> CompileError {
    let offset = match (error.range(), error.line()) {
        (Some(range), _) => range.start,
        (None, Some(line)) => source
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum(),
        (None, None) => 0,
    };
    CompileError {
        offset,
        message: error
            .detail()
            .unwrap_or("a template that cannot be read")
            .to_owned(),
    }
}

fn render_error(error: &minijinja::Error, slots: &Slots) -> RenderError {
    match error.kind() {
        ErrorKind::UndefinedError => match slots.last_missing() {
            Some(name) => RenderError::MissingField(name.to_owned()),
            None => RenderError::Invalid("a value is undefined".to_owned()),
        },
        ErrorKind::OutOfFuel | ErrorKind::WriteFailure => RenderError::TooLarge,
        kind => RenderError::Invalid(
            error
                .detail()
                .map_or_else(|| kind.to_string(), str::to_owned),
        ),
    }
}

fn value(field: Field<'_>) -> Value {
    match field {
        Field::Text(text) => Value::from(text.as_ref()),
        Field::Integer(number) => Value::from(number),
        Field::Number(number) => Value::from(number),
        Field::Flag(flag) => Value::from(flag),
    }
}

/// The values of one rendering, in the order of the template's names.
#[derive(Debug)]
struct Slots {
    names: Arc<[String]>,
    values: Vec<Option<Value>>,
    /// The name last looked for in vain. Where a missing value stops the rendering, it is that one.
    missing: AtomicUsize,
}

impl Slots {
    fn last_missing(&self) -> Option<&str> {
        self.names
            .get(self.missing.load(Ordering::Relaxed))
            .map(String::as_str)
    }
}

/// The values under a prefix: `contact`, `account.attributes`, or everything.
#[derive(Debug)]
struct Space {
    slots: Arc<Slots>,
    prefix: String,
}

impl Object for Space {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let mut is_prefix = false;
        for (index, name) in self.slots.names.iter().enumerate() {
            let Some(rest) = name
                .strip_prefix(self.prefix.as_str())
                .and_then(|name| name.strip_prefix(key))
            else {
                continue;
            };
            if rest.is_empty() {
                let value = self.slots.values[index].clone();
                if value.is_none() {
                    self.slots.missing.store(index, Ordering::Relaxed);
                }
                return value;
            }
            is_prefix |= rest.starts_with('.');
        }
        is_prefix.then(|| {
            let prefix = format!("{}{key}.", self.prefix);
            Value::from_object(Space {
                slots: self.slots.clone(),
                prefix,
            })
        })
    }
}

/// Takes as many bytes as a text may have.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > limits::RENDERED_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fields() -> serde_json::Value {
        json!({
            "contact": {"firstName": "Ada", "other1": "1234.5", "other2": "2026-11-24", "pet name": "Byron", "clientId": "AB1"},
            "account": {"name": "North & Co", "attributes": {"gold": "yes"}},
            "attempt": {"number": 2},
            "device": {"address": "+12125550123"},
            "now": "2026-11-24T13:05:09",
        })
    }

    fn render(source: &str) -> Result<String, RenderError> {
        Template::compile(source).expect(source).render(&fields())
    }

    #[test]
    fn texts_are_rendered() {
        let cases = [
            ("no field { at } all", "no field { at } all"),
            (
                "Hello {{ contact.firstName }}, {{ account.name }}",
                "Hello Ada, North & Co",
            ),
            (
                "{{ contact['pet name']|upper }}{{ contact.nobody|default('!') }}",
                "BYRON!",
            ),
            ("{{ contact.firstName|default('x') }}", "Ada"),
            (
                "{{ contact.other1|currency('USD') }} on {{ contact.other2|date('%d %B') }}",
                "$1,234.50 on 24 November",
            ),
            (
                "{% if attempt.number > 1 %}again{% else %}first{% endif %}",
                "again",
            ),
            (
                "{% for c in contact.clientId %}{% if not loop.first %}-{% endif %}{{ c }}{% endfor %}",
                "A-B-1",
            ),
            (
                "{{ account.attributes.gold }} {{ account['attributes']['gold'] }}",
                "yes yes",
            ),
            (
                "{% if contact.nobody is defined %}x{% else %}y{% endif %}",
                "y",
            ),
            (
                "{{ now|date('%H:%M') }} {{ device.address|phone }} {{ contact.clientId|spell }}",
                "13:05 (212) 555-0123 A B 1",
            ),
            (
                "<b>{{ account.name }}</b>{# nothing #}",
                "<b>North & Co</b>",
            ),
        ];
        for (source, expected) in cases {
            assert_eq!(render(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let cases = [
            "{{ contact.nobody }}",
            "{{ contact.nobody|upper }}",
            "{{ contact.nobody|date('%d') }}",
            "{% if contact.nobody %}x{% endif %}",
            "{% for x in contact.nobody %}{% endfor %}",
            "{{ contact.nothing|default('x') }}{{ contact.nobody }}",
            "{{ 'a' ~ contact.nobody }}",
            "{{ contact.nobody|upper|default('x') }}",
            "{{ contact.nobody > 3 }}",
        ];
        for source in cases {
            assert_eq!(
                render(source),
                Err(RenderError::MissingField("contact.nobody".to_owned())),
                "{source}"
            );
        }
    }

    #[test]
    fn bad_values_are_errors_without_the_value() {
        let error =
            render("{{ contact.firstName|currency('USD') }}").expect_err("Ada is no amount");
        assert!(
            matches!(&error, RenderError::Invalid(_)) && !error.to_string().contains("Ada"),
            "{error}"
        );
        assert!(matches!(
            render("{{ contact.other2|date('%!') }}"),
            Err(RenderError::Invalid(_))
        ));
        assert!(matches!(
            render("{{ contact.other1 / 0 }}"),
            Err(RenderError::Invalid(_))
        ));
    }

    #[test]
    fn rendering_is_bounded() {
        let loops = "{% for a in contact.x %}".repeat(8) + "x" + &"{% endfor %}".repeat(8);
        let long = json!({"contact": {"x": "x".repeat(4_000)}});
        let render = |source: &str| Template::compile(source).expect(source).render(&long);
        assert_eq!(render(&loops), Err(RenderError::TooLarge));
        assert_eq!(
            render(&"{{ contact.x }}".repeat(26)),
            Err(RenderError::TooLarge)
        );
        assert_eq!(
            render("{{ contact.x * 99999999 }}"),
            Err(RenderError::TooLarge)
        );
        assert_eq!(
            render(&"{{ contact.x }}".repeat(25)).map(|text| text.len()),
            Ok(100_000)
        );
    }

    #[test]
    fn faults_are_found_when_compiled() {
        for (source, offset) in [
            ("ab {{ contact.x|nix }}", 16),
            ("{{ contact.x", 0),
            ("{% if %}{% endif %}", 0),
            ("a{{ nobody }}", 4),
            ("{% if now %}", 0),
            ("{{ 'a }}", 0),
            ("{{ contact.x | }}", 0),
        ] {
            let error = Template::compile(source).expect_err(source);
            assert!(
                !error.message.is_empty() && (offset == 0 || error.offset == offset),
                "{source}: {error:?}"
            );
        }
        assert!(Template::compile(&"x".repeat(limits::TEMPLATE_BYTES_MAX + 1)).is_err());
        assert!(
            Template::compile(&format!(
                "{{{{ {}1{} }}}}",
                "(".repeat(9_000),
                ")".repeat(9_000)
            ))
            .is_err()
        );
    }

    #[test]
    fn only_named_fields_are_fetched() {
        struct Strict;
        impl Fields for Strict {
            fn get(&self, path: &str) -> Option<Field<'_>> {
                assert!(["contact.a", "now"].contains(&path), "{path} was not named");
                Some("v".into())
            }
        }
        let template = Template::compile("{{ contact.a }}{{ now }}").expect("a template");
        assert_eq!(template.names(), ["contact.a", "now"]);
        assert_eq!(template.render(&Strict).as_deref(), Ok("vv"));
    }

    proptest! {
        #[test]
        fn nothing_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "{{ ", " }}", "{% ", " %}", "{# ", " #}", "contact.firstName", "contact.other1", "now", "|upper", "|number", "|date('%Y')",
            "|currency('USD')", "'x'", "if ", "endif", "else", "for x in ", "endfor", " is defined", " - ", "*", "/", "%", "[1:]",
            "1", "(", ")", "~", "{}", "[", "]", "é", " ",
        ]), 0..20)) {
            if let Ok(template) = Template::compile(&pieces.concat()) {
                let _ = template.render(&fields());
            }
        }
    }
}
