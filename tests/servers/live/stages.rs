//! The options that a machine sends in each stage of its boot.

use plasmagen::model::Loader;

/// The options that a machine sends while it boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The architectures in option 93; without any, there is no such option.
    pub(crate) architectures: &'static [u16],
    /// Whether there is a vendor class.
    pub(crate) has_vendor_class: bool,
    pub(crate) user_class: Option<&'static [u8]>,
}

/// The architectures that firmware announces: each that is known, one that is not, and several.
const FIRMWARE: [&[u16]; 15] = [
    &[0x00],
    &[0x06],
    &[0x07],
    &[0x09],
    &[0x0b],
    &[0x10],
    &[0x13],
    &[0x16],
    &[0x18],
    &[0x7f],
    &[0x7f, 0x0b],
    &[0x7f, 0x7f, 0x07],
    &[0x00, 0x0b],
    &[0x07, 0x0b],
    &[0x09, 0x00],
];

/// iPXE on some architectures, and its user class as a list of classes (RFC 3004); other classes mean nothing.
const IPXE: [(&[u16], &[u8]); 8] = [
    (&[0x00], b"iPXE"),
    (&[0x07], b"iPXE"),
    (&[0x0b], b"iPXE"),
    (&[], b"iPXE"),
    (&[0x00], b"\x04iPXE"),
    (&[0x13], b"\x04iPXE\x05fleet"),
    (&[0x00], b"gPXE"),
    (&[0x0b], b"\x05fleet"),
];

impl Stage {
    pub(crate) const fn firmware(architectures: &'static [u16]) -> Self {
        Self { architectures, has_vendor_class: !architectures.is_empty(), user_class: None }
    }

    /// All stages; of those without an architecture, U-Boot and EDK II on some boards name themselves all the same.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let unnamed = Self::firmware(&[]);
        let ipxe = IPXE
            .map(|(architectures, class)| Self { user_class: Some(class), ..Self::firmware(architectures) });
        FIRMWARE
            .map(Self::firmware)
            .into_iter()
            .chain([unnamed, Self { has_vendor_class: true, ..unnamed }])
            .chain(ipxe)
    }

    pub(crate) fn is_ipxe(self) -> bool {
        self.user_class.is_some_and(|class| class == b"iPXE" || class.starts_with(b"\x04iPXE"))
    }

    /// Whether one of the architectures starts `loader`.
    pub(crate) fn starts(self, loader: &Loader) -> bool {
        self.architectures.iter().any(|number| loader.architectures.contains(number))
    }
}
