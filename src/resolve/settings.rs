//! Settings of services: those of the service, under those of the profile, under those of the node.

use crate::model::{LaidSettings, Settings};

use super::layer::Layer;
use super::origin::Origin;
use super::recorder::Recorder;
use super::service::Services;

/// The settings of the service called `name`: those of `[service.…]`, under those of `layers` in their order.
pub(super) fn resolve_settings<'a>(
    services: &Services<'a>,
    layers: impl Iterator<Item = Layer<'a>>,
    name: &str,
    recorder: &mut Recorder<'a>,
) -> Settings {
    let mut laid = LaidSettings::default();
    if let Some(entry) = services.get(name)
        && let Some(settings) = &entry.value.settings
    {
        laid.lay(&settings.value.values, Origin::Named("service", &entry.key));
    }
    for layer in layers {
        for settings in layer.common().settings.iter().filter(|settings| settings.key == name) {
            laid.lay(&settings.value.values, layer.origin());
        }
    }
    laid.merge(&mut |path, value, origin| recorder.note(path, value, origin))
}
