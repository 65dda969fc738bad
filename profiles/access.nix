# Logins: root logs in over SSH, by the keys of the inventory. No password and no key that was added by hand opens an
# account. NixOS itself refuses a configuration in which no key and no password opens root or a member of wheel.
{ config, lib, ... }:
{
  options.plasmagen.access.enable = import ./part.nix lib "the settings of logins (SSH, accounts, sudo)";

  config = lib.mkIf config.plasmagen.access.enable {
    services.openssh = {
      enable = lib.mkDefault true;
      # A key in a home directory outlives its removal from the inventory.
      authorizedKeysInHomedir = lib.mkDefault false;
      # Every SSH client of the last ten years knows Ed25519. agenix and sops-nix decrypt with the same key.
      hostKeys = lib.mkDefault [
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
      # Ciphers, key exchanges and MACs are NixOS' defaults, which are modern. Port forwarding stays allowed: operators
      # reach the networks behind a node through the node.
      settings = lib.mapAttrs (_: lib.mkDefault) {
        AllowAgentForwarding = false;
        KbdInteractiveAuthentication = false;
        LoginGraceTime = 30;
        LogLevel = "VERBOSE"; # the log names the key of each login
        PasswordAuthentication = false;
        PermitRootLogin = "prohibit-password";
        X11Forwarding = false;
      };
    };

    # The next activation removes accounts and passwords that were added by hand. users.users.root.hashedPasswordFile sets
    # a password for the console.
    users.mutableUsers = lib.mkDefault false;

    # If a file system cannot be mounted, emergency mode would ask at the console for a password that root does not have,
    # and SSH would not start. Units that need the mount do not start in either case.
    systemd.enableEmergencyMode = lib.mkDefault false;

    security.sudo.execWheelOnly = lib.mkDefault true;
    security.pam.services.su.requireWheel = lib.mkDefault true;
  };
}
