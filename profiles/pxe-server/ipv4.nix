# Arithmetic of IPv4 addresses, which Nix does not have: enough to check a subnet and the addresses in it.
{ lib }:
let
  octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  toNumber =
    address:
    builtins.foldl' (sum: octet: sum * 256 + octet) 0 (map lib.toInt (lib.splitString "." address));
  size = netmask: 4294967296 - toNumber netmask; # 2^32: Nix counts in 64 bits
  isPowerOfTwo = number: number > 0 && builtins.bitAnd number (number - 1) == 0;
in
{
  # Without leading zeros, which some tools read as octal.
  type = lib.types.strMatching "${octet}(\\.${octet}){3}" // {
    description = "IPv4 address";
  };

  inherit toNumber;

  # Whether the bits of `netmask` are ones, then zeros.
  isNetmask = netmask: isPowerOfTwo (size netmask);

  # The prefix length of a netmask.
  prefixLength =
    netmask:
    let
      zeros = number: if number <= 1 then 0 else 1 + zeros (number / 2);
    in
    32 - zeros (size netmask);

  # Whether `address` lies in the subnet.
  isIn =
    subnet: netmask: address:
    builtins.bitAnd (toNumber address) (toNumber netmask) == toNumber subnet;

  # Whether `address` is a host of the subnet: in the subnet, but neither its network address nor its broadcast address.
  isHost =
    subnet: netmask: address:
    let
      host = toNumber address - toNumber subnet;
    in
    0 < host && host < size netmask - 1;

  # Whether `address` is the last address of the subnet.
  isBroadcast =
    subnet: netmask: address:
    toNumber address == toNumber subnet + size netmask - 1;
}
