//! A profile by itself: what a node would be that adds nothing to it, and where each value of that comes from.

use crate::diag::Spanned;
use crate::inventory::{Common, Entry, ProfileTable, known};
use crate::model::{Base, Label, Profile, Service, Word};

use super::origin::{Origin, holds, of_port, setting_of_service};
use super::{Draft, DraftService, layers, seal::interface};

/// What the profile is built on: what it says, else the module of its name.
pub(super) fn base(entry: &Entry<Label, ProfileTable>) -> Option<Base> {
    known(&entry.value.base).copied().or_else(|| Base::parse(&entry.key).ok())
}

/// The profile, sealed. Its nodes may complete what it does not say, so that what is not whole without them is left out.
pub(super) fn seal(draft: &Draft<'_>, entry: &Entry<Label, ProfileTable>) -> Option<Profile> {
    let common = &entry.value.common;
    let service = |own: DraftService<'_>| {
        let settings = layers::settings(draft, std::iter::once(common), own.name.as_str());
        Some(Service { name: own.name.clone(), ports: own.ports?, settings })
    };
    let interfaces = layers::interfaces(draft, std::iter::once(common));
    Some(Profile {
        name: entry.name.clone()?,
        base: base(entry)?,
        interfaces: interfaces.iter().filter_map(|own| interface(own, Vec::new())).collect(),
        services: layers::services(draft, listed(common)).into_iter().filter_map(service).collect(),
    })
}

/// The services that it lists.
fn listed(common: &Common) -> &[Spanned<Option<Label>>] {
    known(&common.services).map_or(&[], Vec::as_slice)
}

/// Where the value at `path` of the profile called `name` comes from; `None` for a path that is not known here.
pub(super) fn origin<'a>(draft: &Draft<'a>, name: &str, path: &[&str]) -> Option<Origin<'a>> {
    let entry = draft.profiles.get(name)?;
    let common = &entry.value.common;
    let own = Origin::Named("profile", &entry.key);
    match path {
        // Without a word of its own, a profile is built on the module of its name.
        ["name" | "base"] | ["services", _, "name"] => Some(own),
        ["interfaces"] | ["interfaces", _, "addresses"] => Some(Origin::Default),
        ["interfaces", device, "vlan"] => {
            let interfaces = layers::interfaces(draft, std::iter::once(common));
            let sealed = interfaces.iter().filter_map(|own| Some((own, interface(own, Vec::new())?)));
            let (found, _) = sealed.into_iter().find(|(_, sealed)| sealed.device.as_str() == *device)?;
            Some(Origin::Named("network", &found.network?.key))
        }
        ["interfaces", _, _, ..] => Some(own),
        ["services"] => Some(own.if_it(common.services.is_some())),
        ["services", name, "settings", path @ ..] => {
            let says = common.settings.iter().any(|own| own.key == *name && holds(&own.value.values, path));
            if says { Some(own) } else { setting_of_service(draft, name, path) }
        }
        ["services", name, key] => {
            let services = layers::services(draft, listed(common));
            of_port(draft, services.iter().find(|own| own.name.as_str() == *name)?, key)
        }
        _ => None,
    }
}
