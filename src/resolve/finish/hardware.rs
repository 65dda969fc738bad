//! The finished model of a machine: a model of the inventory, laid over a built-in model.

use crate::model::{Cpu, Hardware, System, known_hardware};
use crate::resolve::draft::Draft;
use crate::resolve::origin::{Origin, or_default};
use crate::resolve::recorder::Recorder;

use super::unspanned::{items, value};

/// The model of a machine that no layer says a model of.
pub(super) const GENERIC: &str = "generic";

/// The hardware model called `name`, with the kernel modules that exist on `system`.
pub(super) fn finish_hardware<'a>(
    draft: &Draft<'a>,
    name: &'a str,
    system: System,
    to: &mut Recorder<'a>,
) -> Option<Hardware> {
    // A model of the inventory lacks nothing that the built-in model of its name has, or else the generic model.
    let (base, base_name) = match known_hardware(name, system) {
        Some(base) => (base, name),
        None => (known_hardware(GENERIC, system)?, GENERIC),
    };
    let below = Origin::BuiltIn("hardware", base_name);
    let Some(entry) = draft.inventory.hardware.iter().find(|entry| entry.key == name) else {
        // A reference to no model at all.
        if base_name != name {
            return None;
        }
        return Some(Hardware {
            description: to.take("description", below.gives(base.description)),
            cpu: to.take("cpu", below.gives(base.cpu)),
            kernel_modules: to.take("kernel_modules", below.gives(base.kernel_modules)),
            console: to.take("console", below.gives(base.console)),
        });
    };
    let table = &entry.value;
    let here = Origin::Named("hardware", &entry.key);
    let description = value(table.description.as_ref()).unwrap_or_else(|| name.to_owned());
    let modules = here.says(items(table.kernel_modules.as_ref()));
    let console = here.says(value(table.console.as_ref()).map(Some));
    Some(Hardware {
        description: to.take("description", here.gives(description)),
        cpu: to.take("cpu", or_default(here.says(value(table.cpu.as_ref())), Cpu::Other)),
        kernel_modules: to.take("kernel_modules", modules.unwrap_or(below.gives(base.kernel_modules))),
        console: to.take("console", console.unwrap_or(below.gives(base.console))),
    })
}
