# The base `worker`: a machine that runs the tenants' machines and forwards their packets.
{ config, lib, ... }:
{
  imports = [ ./base.nix ];

  boot.kernelModules = [
    "tun"
    "vhost_net"
  ];
  boot.kernel.sysctl = {
    # This priority overrides NixOS' default of 0, which would turn forwarding off for a moment at each change of any
    # parameter.
    "net.ipv4.conf.all.forwarding" = lib.mkOverride 900 1;
    "net.ipv6.conf.all.forwarding" = lib.mkOverride 900 1;
  };

  # The firewall changes with every machine of a tenant: these records would flood the audit log.
  security.audit.rules = lib.mkIf config.plasmagen.audit.enable [
    "-a always,exclude -F msgtype=NETFILTER_CFG"
  ];
}
