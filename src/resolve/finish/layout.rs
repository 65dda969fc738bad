//! The finished layout of a node's disks.

use crate::inventory::{Entry, LayoutTable, VolumeTable};
use crate::model::{Format, Label, Labels, Layout, Size, Style, Unlock, Volume};
use crate::resolve::layer::Said;
use crate::resolve::node::DraftNode;
use crate::resolve::origin::{Origin, or_default};
use crate::resolve::recorder::Recorder;

use super::unspanned::value;

/// The layout that `node` or its profile says.
pub(super) fn finish_layout<'a>(node: &DraftNode<'a>, to: &mut Recorder<'a>) -> Option<Layout> {
    let Said { written: LayoutTable { style, keys: table, .. }, layer } = node.layout?;
    let here = layer.origin();
    let labels = here.says(value(table.labels.as_ref()));
    let labels = labels.or_else(|| Origin::Rendered.says(node.kept_labels));
    let style = match *style {
        "single" => Style::Single,
        "raid1" => Style::Raid1,
        "luks" => Style::Luks,
        _ => Style::Lvm {
            swap: to.take("swap", here.gives(value(table.swap.as_ref()))),
            volumes: to.whole_list("volumes", Origin::Default, &table.volumes, |to, entry| {
                finish_volume(entry, here, to)
            })?,
        },
    };
    to.take("style", here.gives(style.name()));
    let written = match (&style, &table.luks) {
        (Style::Luks, _) => Some(&table.unlock),
        (Style::Single, _) | (_, None) => None,
        (_, Some(luks)) => Some(&luks.unlock),
    };
    let unlock = written
        .map(|written| to.take("unlock", or_default(here.says(value(written.as_ref())), Unlock::Passphrase)));
    Some(Layout {
        style,
        esp: to.take("esp", or_default(here.says(value(table.esp.as_ref())), Size::gib(1))),
        format: to.take("format", or_default(here.says(value(table.format.as_ref())), Format::Ext4)),
        labels: to.take("labels", or_default(labels, Labels::Node)),
        unlock,
    })
}

fn finish_volume<'a>(
    entry: &'a Entry<Label, VolumeTable>,
    here: Origin<'a>,
    to: &mut Recorder<'a>,
) -> Option<Volume> {
    let table = &entry.value;
    let format = here.says(value(table.format.as_ref()));
    to.item(&entry.key, |to| {
        Some(Volume {
            name: to.take("name", here.gives(entry.name.as_ref()?.to_string())),
            size: to.take("size", here.gives(value(table.size.as_ref())?)),
            mount: to.take("mount", here.gives(value(table.mount.as_ref())?)),
            format: to.take("format", or_default(format, Format::Ext4)),
        })
    })
}
