//! Parses the lines of the logs of DHCP, TFTP and HTTP servers.

use std::net::IpAddr;

/// An HTTP request of a machine, as nginx logged it.
#[derive(Clone, Debug)]
pub(super) struct HttpRequest {
    /// The path below `/boot/`.
    pub(super) path: String,
    /// Whether the method is GET.
    pub(super) is_get: bool,
    pub(super) status: u16,
    /// The size of the response in bytes.
    pub(super) bytes: u64,
}

impl HttpRequest {
    /// Parses a line of nginx' access log, `$msec $remote_addr "$request" $status $body_bytes_sent …`, and returns the
    /// client's address and the request.
    pub(super) fn parse(line: &str) -> Option<(&str, Self)> {
        let (head, rest) = line.split_once(" \"")?;
        let (request, rest) = rest.split_once("\" ")?;
        let client = head.split(' ').nth(1)?;
        let mut numbers = rest.split(' ').map(|number| number.parse::<u64>().unwrap_or_default());
        let status = u16::try_from(numbers.next().unwrap_or_default()).unwrap_or_default();
        let bytes = numbers.next().unwrap_or_default();
        let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches("/boot/").to_owned();
        Some((client, Self { path, is_get: request.starts_with("GET "), status, bytes }))
    }
}

/// Parses a line of a DHCP server's log, in which `message` tells of a lease of the machine `mac`, and returns the
/// address: `DHCPACK on 10.0.0.1 to MAC`, `DHCPACK(eth0) 10.0.0.1 MAC name` or
/// `DHCP4_LEASE_ALLOC … MAC …: lease 10.0.0.1 has`.
pub(super) fn parse_lease(line: &str, message: &str, mac: &str) -> Option<IpAddr> {
    let (_, rest) = line.split_once(message).filter(|(_, rest)| rest.contains(mac))?;
    let mut words = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.find_map(|word| word.parse().ok())
}

/// Parses a line of a TFTP server's log, `RRQ from 10.0.0.1 filename ipxe.efi` or `sent /root/ipxe.efi to 10.0.0.1`, and
/// returns the name of the file and the client's address.
pub(super) fn parse_tftp_request(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let first = words.find(|word| matches!(*word, "RRQ" | "sent"))?;
    let words: Vec<&str> = words.collect();
    let (file, client) = match (first, &*words) {
        ("RRQ", ["from", client, "filename", file, ..]) => (file, client),
        ("sent", [file, "to", client, ..]) => (file, client),
        _ => return None,
    };
    Some((file.rsplit('/').next().unwrap_or(file), client))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "52:54:00:00:00:01";

    #[test]
    fn the_address_of_a_lease_is_found_in_the_logs_of_all_servers() {
        for (line, message) in [
            (format!("DHCPACK on 10.0.0.1 to {MAC} via eth0"), "DHCPACK on "),
            (format!("DHCPACK(eth0) 10.0.0.1 {MAC} node01"), "DHCPACK("),
            (format!("DHCP4_LEASE_ALLOC [hwtype=1 {MAC}], tid=0x1: lease 10.0.0.1 has"), "DHCP4_LEASE_ALLOC"),
        ] {
            assert_eq!(parse_lease(&line, message, MAC), Some([10, 0, 0, 1].into()), "{line}");
            assert_eq!(parse_lease(&line, message, "52:54:00:00:00:02"), None, "{line}");
            assert_eq!(parse_lease(&line, "DHCPNAK", MAC), None, "{line}");
        }
    }

    #[test]
    fn a_request_is_read_from_the_logs_of_tftp_servers_and_nginx() {
        for line in ["tftpd: RRQ from 10.0.0.1 filename /x/ipxe.efi", "sent /root/ipxe.efi to 10.0.0.1"] {
            assert_eq!(parse_tftp_request(line), Some(("ipxe.efi", "10.0.0.1")), "{line}");
        }
        assert_eq!(parse_tftp_request("sent nothing"), None);
        let line = r#"1.5 10.0.0.1 "GET /boot/nixos/initrd HTTP/1.1" 206 99 "-""#;
        let (client, request) = HttpRequest::parse(line).unwrap();
        assert_eq!(
            (client, &*request.path, request.status, request.bytes),
            ("10.0.0.1", "nixos/initrd", 206, 99)
        );
        assert!(request.is_get);
        assert!(HttpRequest::parse("an error").is_none());
    }
}
