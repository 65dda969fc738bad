# A machine that runs the tenants' machines and forwards their packets.
{ lib, ... }:
{
  imports = [ ./base.nix ];

  boot.kernelModules = [
    "tun"
    "vhost_net"
  ];
  boot.kernel.sysctl = {
    "net.ipv4.ip_forward" = lib.mkDefault 1;
    "net.ipv6.conf.all.forwarding" = lib.mkDefault 1;
  };
}
