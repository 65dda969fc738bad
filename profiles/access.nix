# Who gets in: root over SSH, by the keys of the inventory, and nobody by a password or by what was added by hand. NixOS
# itself refuses a configuration in which no key and no password opens root or a member of wheel.
{ lib, ... }:
{
  services.openssh = {
    enable = true;
    # A key in a home directory outlives its removal from the inventory.
    authorizedKeysInHomedir = lib.mkDefault false;
    # Every SSH of the last ten years knows this kind. agenix and sops-nix decrypt with the same key.
    hostKeys = lib.mkDefault [
      {
        type = "ed25519";
        path = "/etc/ssh/ssh_host_ed25519_key";
      }
    ];
    # Ciphers, key exchanges and MACs are NixOS' own, which keep to the modern ones. Forwarded ports stay: a node is a
    # way into the networks behind it.
    settings = lib.mapAttrs (_: lib.mkDefault) {
      AllowAgentForwarding = false;
      KbdInteractiveAuthentication = false;
      LoginGraceTime = 30;
      LogLevel = "VERBOSE"; # which key it was that logged in, or failed to
      PasswordAuthentication = false;
      PermitRootLogin = "prohibit-password";
      X11Forwarding = false;
    };
  };

  # Accounts and passwords that were added by hand are gone with the next activation. A password for the console:
  # users.users.root.hashedPasswordFile.
  users.mutableUsers = lib.mkDefault false;

  # Where a file system cannot be mounted, emergency mode would stop short of SSH and ask at the console for a password
  # that root does not have. What needs the mount still does not start.
  systemd.enableEmergencyMode = lib.mkDefault false;

  security.sudo.execWheelOnly = lib.mkDefault true;
  security.pam.services.su.requireWheel = lib.mkDefault true;
}
