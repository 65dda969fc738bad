# What the kernel refuses. Nothing here takes away what tenants' machines and pods live on: forwarding, BPF of
# privileged programs, user namespaces.
{ lib, options, ... }:
let
  # Packets that tell a machine to send others elsewhere, or that it tells others.
  redirects =
    device:
    lib.genAttrs [
      "net.ipv4.conf.${device}.accept_redirects"
      "net.ipv4.conf.${device}.accept_source_route"
      "net.ipv4.conf.${device}.secure_redirects"
      "net.ipv4.conf.${device}.send_redirects"
      "net.ipv6.conf.${device}.accept_redirects"
      "net.ipv6.conf.${device}.accept_source_route"
    ] (_: 0);

  # A core dump of a service holds its private key. That it crashed is in the journal all the same.
  coredump = {
    Storage = "none";
    ProcessSizeMax = "0";
  };
in
{
  boot.kernel.sysctl = lib.mapAttrs (_: lib.mkDefault) (
    redirects "all"
    // redirects "default" # devices that come later
    // {
      # Line disciplines are modules that any user could have loaded.
      "dev.tty.ldisc_autoload" = 0;
      # In directories that all may write to, nobody is led to a file of another's choosing.
      "fs.protected_fifos" = 2;
      "fs.protected_hardlinks" = 1;
      "fs.protected_regular" = 2;
      "fs.protected_symlinks" = 1;
      "fs.suid_dumpable" = 0;
      # Addresses of the kernel are in its messages.
      "kernel.dmesg_restrict" = 1;
      "kernel.unprivileged_bpf_disabled" = 1;
      # A process is debugged by its parent, or by root.
      "kernel.yama.ptrace_scope" = 1;
    }
  );

  # NixOS 24.11 has lines where later releases have settings.
  systemd.coredump =
    if options.systemd.coredump ? settings then
      { settings.Coredump = lib.mapAttrs (_: lib.mkDefault) coredump; }
    else
      {
        extraConfig = lib.mkDefault (
          lib.concatStrings (lib.mapAttrsToList (key: value: "${key}=${value}\n") coredump)
        );
      };
}
