# Settings that harden the kernel. They keep what tenants' machines and pods need: forwarding, BPF of privileged
# programs, user namespaces.
{
  config,
  lib,
  options,
  ...
}:
let
  # ICMP redirects and source routes, received and sent.
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

  # A core dump of a service holds its private key. The journal still tells that the service crashed.
  coredump = {
    Storage = "none";
    ProcessSizeMax = "0";
  };
in
{
  options.plasmagen.hardening.enable = import ./part.nix lib "the kernel parameters that harden a node, and no core dumps";

  config = lib.mkIf config.plasmagen.hardening.enable {
    boot.kernel.sysctl = lib.mapAttrs (_: lib.mkDefault) (
      redirects "all"
      // redirects "default" # devices that are added later
      // {
        # Line disciplines are kernel modules, which any user could make the kernel load.
        "dev.tty.ldisc_autoload" = 0;
        # In directories that all users may write to, no user can make a program open another file.
        "fs.protected_fifos" = 2;
        "fs.protected_hardlinks" = 1;
        "fs.protected_regular" = 2;
        "fs.protected_symlinks" = 1;
        "fs.suid_dumpable" = 0;
        # The kernel's messages contain addresses of the kernel.
        "kernel.dmesg_restrict" = 1;
        "kernel.unprivileged_bpf_disabled" = 1;
        # Only the parent of a process and root may debug the process.
        "kernel.yama.ptrace_scope" = 1;
      }
    );

    # NixOS 24.11 takes lines of text; later releases take settings.
    systemd.coredump =
      if options.systemd.coredump ? settings then
        { settings.Coredump = lib.mapAttrs (_: lib.mkDefault) coredump; }
      else
        {
          extraConfig = lib.mkDefault (
            lib.concatStrings (lib.mapAttrsToList (key: value: "${key}=${value}\n") coredump)
          );
        };
  };
}
