//! Public keys to which nothing may be encrypted: age's library panics, or anybody could decrypt.

use ssh_key::PublicKey;
use ssh_key::public::KeyData;

/// The u-coordinates of X25519 of low order, as bytes with the highest bit cleared: whatever the other key is, the shared
/// secret is zero (RFC 7748, section 6.1). 0 and 1 have a second form each, since coordinates are taken modulo 2^255 - 19.
pub(super) const X25519: [[u8; 32]; 7] = [
    small(0),
    small(1),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    large(0xec),
    large(0xed),
    large(0xee),
];

/// The y-coordinates of Ed25519 of low order, as bytes with the sign of x cleared (RFC 8032, section 5.1.2).
pub(super) const ED25519: [[u8; 32]; 7] = [
    small(0),
    small(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    large(0xec),
    large(0xed),
    large(0xee),
];

/// The shortest and the longest RSA modulus, in bits. A shorter one can be factored, and has no room for age's padding;
/// the rsa crate takes no longer one.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A coordinate of one byte.
const fn small(byte: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = byte;
    bytes
}

/// The coordinate 2^255 - 256 + `byte`.
const fn large(byte: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = byte;
    bytes[31] = 0x7f;
    bytes
}

/// Whether `key` is a public key of X25519 of low order.
pub(super) fn is_weak_x25519(key: &[u8]) -> bool {
    is_in(&X25519, key)
}

/// Whether `key` is an SSH key of low order, or an RSA key of an unusual size or form.
pub(super) fn is_weak_ssh(key: &PublicKey) -> bool {
    match key.key_data() {
        KeyData::Ed25519(key) => is_in(&ED25519, &key.0),
        KeyData::Rsa(key) => {
            let bytes = |number: &ssh_key::Mpint| number.as_positive_bytes().unwrap_or_default().to_vec();
            let (modulus, exponent) = (bytes(&key.n), bytes(&key.e));
            let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
            let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
            !RSA_BITS.contains(&(modulus.len() * 8 - zeros))
                || !is_odd(&modulus)
                || !is_odd(&exponent)
                || exponent == [1]
                || exponent.len() > 4
        }
        _ => false,
    }
}

/// Whether `key` is in `table` when its highest bit is cleared.
fn is_in(table: &[[u8; 32]], key: &[u8]) -> bool {
    table.iter().any(|weak| key.len() == 32 && key[..31] == weak[..31] && key[31] & 0x7f == weak[31])
}
