# A machine that votes: Raft's heartbeats suffer first when memory is swapped out.
{ lib, ... }:
{
  imports = [ ./base.nix ];

  boot.kernel.sysctl."vm.swappiness" = lib.mkDefault 1;
}
