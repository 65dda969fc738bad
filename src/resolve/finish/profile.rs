//! Finished profiles: each as a node would be that adds nothing to it.

use std::iter::once;

use crate::inventory::known;
use crate::model::{Base, Profile, Service, Word};
use crate::resolve::draft::Draft;
use crate::resolve::interface::lay_interfaces;
use crate::resolve::layer::{Layer, ProfileEntry, said};
use crate::resolve::origin::{Origin, Sourced};
use crate::resolve::recorder::Recorder;
use crate::resolve::service::{DraftService, list_services, resolve_ports};
use crate::resolve::settings::resolve_settings;

use super::interface::finish_interface;

/// The base of a profile: the base that it says, else the base of the profile's name.
pub(super) fn pick_base(entry: &ProfileEntry) -> Option<Sourced<'_, Base>> {
    let base = known(&entry.value.base).copied().or_else(|| Base::parse(&entry.key).ok())?;
    Some(Layer::Profile(entry).origin().gives(base))
}

/// The profile. Its nodes may complete what it does not say; an interface or a service that is incomplete without them is
/// left out.
pub(super) fn finish_profile<'a>(
    draft: &Draft<'a>,
    entry: &'a ProfileEntry,
    to: &mut Recorder<'a>,
) -> Option<Profile> {
    let layer = Layer::Profile(entry);
    let here = layer.origin();
    let listed = said(once(layer), |common| common.services.as_ref());
    let without_services = listed.map_or(Origin::Default, |list| list.layer.origin());
    to.item(&entry.key, |to| {
        Some(Profile {
            name: to.take("name", here.gives(entry.name.clone()?)),
            base: to.take("base", pick_base(entry)?),
            interfaces: to.list(
                "interfaces",
                Origin::Default,
                &lay_interfaces(&draft.networks, once(layer)),
                |to, interface| finish_interface(interface, Origin::Default.gives(Vec::new()), to),
            ),
            services: to.list(
                "services",
                without_services,
                &list_services(&draft.services, listed),
                |to, service| finish_service(draft, once(layer), service, to),
            ),
        })
    })
}

/// A service of a node or a profile, which `layers` set.
pub(super) fn finish_service<'a>(
    draft: &Draft<'a>,
    layers: impl Iterator<Item = Layer<'a>>,
    service: &DraftService<'a>,
    to: &mut Recorder<'a>,
) -> Option<Service> {
    let name = service.name;
    to.item(name.as_str(), |to| {
        Some(Service {
            name: to.take("name", service.layer.origin().gives(name.clone())),
            ports: resolve_ports(&draft.services, name.as_str(), to)?,
            settings: to.table("settings", |to| resolve_settings(&draft.services, layers, name.as_str(), to)),
        })
    })
}
