# The base `control-plane`: a Raft voter. Swapping delays Raft's heartbeats.
{ lib, ... }:
{
  imports = [ ./base.nix ];

  boot.kernel.sysctl."vm.swappiness" = lib.mkDefault 1;
}
