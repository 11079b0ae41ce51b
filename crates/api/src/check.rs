//! The checks that need nothing but the request: stages 1 to 4 of `api.md` 2.3, the same code for every method. One walk
//! over the tree keeps the finding that the law puts first, so each bad input has exactly one answer.

use crate::fault::{Fault, Row};
use crate::shape::{Field, Identity, Need, Part, Shape, Type, form};
use crate::tree::{Path, Tree, View};
use crate::value::{Object, Value};
use carillon_model::limits;
use std::borrow::Cow;

/// What the checks must know about the call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting {
    /// A missing Org or owner is the caller's only Account (J5).
    pub account_defaults: bool,
    /// An explicit null of a change clears (merge patch).
    pub null_clears: bool,
}

/// Findings so far: only the first in the order of the law is kept.
#[derive(Default)]
pub struct Findings {
    first: Option<(u8, Fault)>,
}

/// The order of stages 1 to 4. F of a scalar argument belongs to stage 2.
fn rank(row: Row, argument: bool) -> u8 {
    match row {
        Row::N => 0,
        Row::T => 1,
        Row::F if argument => 2,
        Row::SA => 3,
        Row::NV => 4,
        Row::SV => 5,
        Row::C => 6,
        Row::F => 7,
        Row::DV => 8,
        Row::DR => 9,
        _ => 10,
    }
}

impl Findings {
    /// Adds a finding, unless an earlier one stands.
    pub fn add(
        &mut self,
        row: Row,
        path: impl FnOnce() -> Path,
        reason: impl Into<Cow<'static, str>>,
    ) {
        self.add_ranked(rank(row, false), row, path, reason);
    }

    fn add_ranked(
        &mut self,
        rank: u8,
        row: Row,
        path: impl FnOnce() -> Path,
        reason: impl Into<Cow<'static, str>>,
    ) {
        if self.first.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.first = Some((rank, Fault::of(row, path(), reason)));
        }
    }

    /// The finding that is answered.
    pub fn into_fault(self) -> Option<Fault> {
        self.first.map(|(_, fault)| fault)
    }
}

/// Runs stages 1 to 4. `rule` is what a method adds for its arguments.
pub fn stages_1_to_4(
    tree: &Tree,
    setting: Setting,
    rule: Option<fn(View<'_>, &mut Findings)>,
) -> Result<(), Fault> {
    let mut findings = Findings::default();
    let root = tree.root();
    let walk = Walk { setting };
    for misfit in tree.misfits_of(root) {
        findings.add(Row::T, || root.path(), misfit.text.clone());
    }
    let arguments = root.shape().expect("the root is the arguments");
    for (index, field) in arguments.all_fields().enumerate() {
        walk.argument(root, index, field, &mut findings);
    }
    if let Some(rule) = rule {
        rule(root, &mut findings);
    }
    findings.into_fault().map_or(Ok(()), Err)
}

struct Walk {
    setting: Setting,
}

impl Walk {
    fn argument(
        &self,
        root: View<'_>,
        index: usize,
        field: &'static Field,
        findings: &mut Findings,
    ) {
        let mut count = 0;
        let mut nulls = false;
        for value in root.at(index) {
            if value.is_null() {
                nulls = true;
                if field.many && (field.create == Need::Must || root.at(index).count() > 1) {
                    findings.add(Row::N, || value.path(), "null");
                }
                continue;
            }
            count += 1;
            self.value(value, field, field.part, true, findings);
        }
        let defaults = self.setting.account_defaults && is_org(&field.ty);
        if count == 0 && field.create == Need::Must && !defaults && !(nulls && field.many) {
            findings.add(Row::N, || root.path_to(field.name), "null");
        }
        self.count_items(root, index, field, count, findings);
    }

    fn count_items(
        &self,
        above: View<'_>,
        index: usize,
        field: &Field,
        count: usize,
        findings: &mut Findings,
    ) {
        if field.many && count > field.items_max {
            let path = || {
                above
                    .at(index)
                    .next()
                    .map_or_else(Path::default, |_| above.path_to(field.name))
            };
            findings.add(Row::SA, path, format!("at most {} items", field.items_max));
        }
    }

    /// One value of a field. `usage` is what the object above is, or the part that an argument is.
    fn value(
        &self,
        value: View<'_>,
        field: &'static Field,
        usage: Part,
        argument: bool,
        findings: &mut Findings,
    ) {
        if let Some(text) = value.scalar() {
            if let Some((row, reason)) = form::check(&field.ty, text, usage == Part::Sample) {
                let row = if argument && row == Row::SV {
                    Row::SA
                } else {
                    row
                };
                findings.add_ranked(rank(row, argument), row, || value.path(), reason);
            }
            return;
        }
        let Some(shape) = value.shape() else { return };
        for misfit in value.tree().misfits_of(value) {
            findings.add(Row::T, || value.path(), misfit.text.clone());
        }
        let part = match (field.part, argument) {
            (part, true) => part,
            (Part::Whole, false) => usage,
            (part, false) if usage == Part::Sample && part == Part::Reference => Part::Sample,
            (part, false) => part,
        };
        match part {
            Part::Reference => self.reference(value, shape, field, argument, findings),
            _ => self.object(value, shape, field, part, findings),
        }
    }

    /// A reference: its kind word and its identity.
    fn reference(
        &self,
        view: View<'_>,
        shape: &'static Shape,
        field: &'static Field,
        argument: bool,
        findings: &mut Findings,
    ) {
        self.kind_word(view, shape, field, findings);
        let internal = shape
            .index_of("internalId")
            .and_then(|_| view.text("internalId"));
        if let Some(text) = internal {
            if let Some((row, reason)) = form::check(&Type::Id, text, false) {
                findings.add(row, || view.path_to("internalId"), reason);
            }
            return;
        }
        self.external_key(view, shape, field.scope_defaults || !argument, findings);
    }

    /// A `type` word beside an identity: a legal word (DV) that this place takes (T, stage 2).
    fn kind_word(
        &self,
        view: View<'_>,
        shape: &'static Shape,
        field: &Field,
        findings: &mut Findings,
    ) {
        let Some(index) = shape.index_of("type") else {
            return;
        };
        let Some(word) = view.text("type") else {
            return;
        };
        let declared = shape.field(index).expect("found in this shape");
        if let Some((row, reason)) = form::check(&declared.ty, word, false) {
            findings.add(row, || view.path_to("type"), reason);
        } else if !field.kinds.is_empty()
            && !field
                .kinds
                .iter()
                .any(|kind| kind.eq_ignore_ascii_case(word.trim()))
        {
            findings.add(
                Row::T,
                || view.path_to("type"),
                format!(
                    "{} is not taken here; it must be {}",
                    word.trim(),
                    field.kinds.join(" or ")
                ),
            );
        }
    }

    /// The external key: every part of it must be there (NV).
    fn external_key(
        &self,
        view: View<'_>,
        shape: &'static Shape,
        scope_defaults: bool,
        findings: &mut Findings,
    ) {
        let key = if shape.name == "pass" {
            "name"
        } else {
            "externalId"
        };
        if shape.identity == Identity::Id || shape.index_of(key).is_none() {
            findings.add(Row::NV, || view.path_to("internalId"), "null");
            return;
        }
        let Some(name) = view.text(key) else {
            findings.add(Row::NV, || view.path_to(key), "null");
            return;
        };
        let declared = shape.index_of(key).and_then(|index| shape.field(index));
        if let Some((row, reason)) = declared.and_then(|field| form::check(&field.ty, name, false))
        {
            findings.add(row, || view.path_to(key), reason);
        }
        let defaults = scope_defaults || self.setting.account_defaults;
        match shape.identity {
            Identity::Org => self.org_key(view, findings),
            Identity::Owner => self.scope(view, "owner", defaults, findings),
            Identity::Campaign => self.scope(view, "campaign", scope_defaults, findings),
            Identity::Parent => self.scope(view, "parent", defaults, findings),
            Identity::Id | Identity::External | Identity::None => {}
        }
    }

    /// An Org by name: its type, and its parent unless it is the SuperEnterprise.
    fn org_key(&self, view: View<'_>, findings: &mut Findings) {
        match view.text("type") {
            None => findings.add(Row::NV, || view.path_to("type"), "null"),
            Some(word) if word.trim().eq_ignore_ascii_case("SuperEnterprise") => {}
            Some(_) => self.scope(view, "parent", false, findings),
        }
    }

    fn scope(&self, view: View<'_>, name: &'static str, defaults: bool, findings: &mut Findings) {
        match view.get(name) {
            None if defaults => {}
            None => findings.add(Row::NV, || view.path_to(name), "null"),
            Some(scope) => {
                let field = scope.field_of().expect("a child has a field");
                if let Some(shape) = scope.shape() {
                    for misfit in scope.tree().misfits_of(scope) {
                        findings.add(Row::T, || scope.path(), misfit.text.clone());
                    }
                    self.reference(scope, shape, field, false, findings);
                }
            }
        }
    }

    /// An object whose fields matter.
    fn object(
        &self,
        view: View<'_>,
        shape: &'static Shape,
        field: &'static Field,
        usage: Part,
        findings: &mut Findings,
    ) {
        if usage == Part::Change && shape.identity != Identity::None {
            self.reference(view, shape, field, true, findings);
        } else if !field.kinds.is_empty() {
            self.kind_word(view, shape, field, findings);
        }
        // A batch that is added to is defined already.
        let more = usage == Part::NewOrMore && view.has("internalId");
        for (index, inner) in shape.all_fields().enumerate() {
            if matches!(inner.ty, Type::Attributes) {
                self.attributes(view, index, shape, inner, usage, findings);
                continue;
            }
            let mut count = 0;
            for value in view.at(index).filter(|value| !value.is_null()) {
                count += 1;
                if may_not_set(inner, usage) {
                    findings.add(Row::DV, || value.path(), "may not be set here");
                } else {
                    self.value(value, inner, usage, false, findings);
                }
            }
            if count == 0
                && !more
                && must_set(inner, usage)
                && !(self.setting.account_defaults && is_org(&inner.ty))
            {
                findings.add(Row::NV, || view.path_to(inner.name), "null");
            }
            if count == 0
                && usage == Part::Change
                && must_keep(inner)
                && view.at(index).any(View::is_cleared)
            {
                findings.add(Row::NV, || view.path_to(inner.name), "cannot be cleared");
            }
            self.count_items(view, index, inner, count, findings);
        }
        if let Some(rule) = shape.rule
            && usage != Part::Sample
        {
            rule(view, findings);
        }
    }

    fn attributes(
        &self,
        view: View<'_>,
        index: usize,
        shape: &'static Shape,
        field: &'static Field,
        usage: Part,
        findings: &mut Findings,
    ) {
        let own = std::ptr::eq(field, &raw const crate::shape::ATTRIBUTES);
        let mut seen: Vec<&str> = Vec::new();
        for item in view.at(index) {
            let Some((name, value)) = item.name_value() else {
                continue;
            };
            let Some(name) = name else {
                findings.add(
                    Row::NV,
                    || view.path_to(field.name),
                    "an attribute without a name",
                );
                continue;
            };
            if seen.contains(&name) {
                findings.add(Row::DV, || item.path(), "given twice");
            }
            seen.push(name);
            let known = if own { shape.attribute(name) } else { None };
            let Some(value) = value else {
                if !(self.setting.null_clears && usage == Part::Change) {
                    findings.add(Row::NV, || item.path(), "null");
                }
                continue;
            };
            match known {
                Some(known) if may_not_set(known, usage) => {
                    findings.add(Row::DV, || item.path(), "may not be set here");
                }
                Some(known) => {
                    if let Some((row, reason)) =
                        form::check(&known.ty, value, usage == Part::Sample)
                    {
                        findings.add(row, || item.path(), reason);
                    }
                }
                None if own && !shape.free_attributes && usage != Part::Sample => {
                    findings.add(Row::DV, || item.path(), "there is no such attribute");
                }
                None => free_attribute(item, name, value, findings),
            }
        }
        for required in shape
            .attributes
            .iter()
            .filter(|known| own && must_set(known, usage))
        {
            if !seen.contains(&required.name) {
                findings.add(Row::NV, || view.path_to(required.name), "null");
            }
        }
        if seen.len() > limits::ATTRIBUTES_MAX {
            findings.add(
                Row::SA,
                || view.path_to(field.name),
                format!("at most {} attributes", limits::ATTRIBUTES_MAX),
            );
        }
    }
}

fn free_attribute(item: View<'_>, name: &str, value: &str, findings: &mut Findings) {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > limits::NAME_CHARACTERS_MAX || !name.bytes().all(legal) {
        let reason = "an attribute name is 1 to 64 letters, digits, dots, underscores or hyphens";
        findings.add(Row::DV, || item.path(), reason);
    }
    if value.len() > limits::ATTRIBUTE_VALUE_CHARACTERS_MAX
        && value.chars().count() > limits::ATTRIBUTE_VALUE_CHARACTERS_MAX
    {
        findings.add(Row::SV, || item.path(), "too many characters");
    }
}

fn is_org(ty: &Type) -> bool {
    match ty {
        Type::Entity(shape) => shape.identity == Identity::Org,
        Type::OneOf([shape]) => shape.identity == Identity::Org,
        _ => false,
    }
}

fn may_not_set(field: &Field, usage: Part) -> bool {
    match usage {
        Part::New | Part::Template => field.create == Need::Never,
        Part::NewOrMore => field.create == Need::Never && field.name != "internalId",
        // What a change may not set is compared with what is stored, in stage 6.
        _ => false,
    }
}

fn must_set(field: &Field, usage: Part) -> bool {
    match usage {
        Part::New | Part::NewOrMore => field.create == Need::Must,
        Part::Change => field.change == Need::Must,
        _ => false,
    }
}

/// Whether a change may not clear it.
fn must_keep(field: &Field) -> bool {
    field.create == Need::Must
}

/// Stage 6 of every change: a field that may not be changed must equal what is stored, so that a shown object can be
/// sent back (`api.md` 1.5). `identity` names fields that the call uses to find the object.
pub fn unchanged(view: View<'_>, stored: &Object, identity: &[&str]) -> Result<(), Fault> {
    let shape = stored.shape;
    for (index, field) in shape.all_fields().enumerate() {
        if identity.contains(&field.name) {
            continue;
        }
        if matches!(field.ty, Type::Attributes) {
            unchanged_attributes(view, index, shape, stored)?;
            continue;
        }
        if field.change != Need::Never {
            continue;
        }
        for value in view.at(index).filter(|value| !value.is_null()) {
            if !equals(value, field, stored.get(field.name)) {
                return Err(Fault::of(Row::DV, value.path(), "cannot be changed"));
            }
        }
    }
    Ok(())
}

fn unchanged_attributes(
    view: View<'_>,
    index: usize,
    shape: &'static Shape,
    stored: &Object,
) -> Result<(), Fault> {
    for item in view.at(index) {
        let Some((Some(name), Some(value))) = item.name_value() else {
            continue;
        };
        let fixed = shape
            .attribute(name)
            .is_some_and(|known| known.change == Need::Never);
        let same = matches!(stored.get("attributes"), Some(Value::Attributes(kept)) if kept.get(name).is_some_and(|kept| kept == value));
        if fixed && !same {
            return Err(Fault::of(Row::DV, item.path(), "cannot be changed"));
        }
    }
    Ok(())
}

/// Whether what was sent is what is stored; of references and parts only the identity is compared.
fn equals(sent: View<'_>, field: &Field, stored: Option<&Value>) -> bool {
    if field.many {
        // The items of fixed lists are parts or references of the whole; sending them back is common, comparing each is not.
        return stored.is_some();
    }
    match (sent.scalar(), stored) {
        (Some(text), Some(Value::Text(stored))) => match field.ty {
            Type::DateTime => form::moment(text, &jiff::tz::TimeZone::UTC, form::Bound::Start)
                .is_some_and(|moment| moment.wire() == stored.as_ref()),
            _ => stored.eq_ignore_ascii_case(text.trim()),
        },
        (Some(text), Some(Value::Integer(stored))) => {
            form::integer(text).or_else(|| form::minutes(text)) == Some(*stored)
        }
        (Some(text), Some(Value::Boolean(stored))) => form::boolean(text) == Some(*stored),
        (Some(text), Some(Value::Double(stored))) => form::double(text) == Some(*stored),
        (Some(text), Some(Value::Channel(stored))) => {
            carillon_model::ChannelType::parse_wire(text.trim()) == Some(*stored)
        }
        (None, Some(Value::Object(object))) => {
            let by = |name: &str| {
                sent.shape()
                    .and_then(|shape| shape.index_of(name))
                    .and_then(|_| sent.text(name))
            };
            match (by("internalId"), object.internal_id()) {
                (Some(sent), Some(stored)) => sent.trim() == stored,
                _ => match (by("externalId"), object.get("externalId")) {
                    (Some(sent), Some(Value::Text(stored))) => {
                        carillon_model::name::fold(sent) == carillon_model::name::fold(stored)
                    }
                    _ => false,
                },
            }
        }
        _ => false,
    }
}
