# Logins of the installer: root logs in over SSH with a key of the inventory or of the node's overlay. There is no other
# login.
{ config, lib, ... }:
let
  users = lib.mapAttrsToList (name: user: user // { inherit name; }) config.users.users;

  # crypt(3) makes no hash that begins with `!` or is `*`. An empty hash admits everybody.
  isLocked = hash: hash == null || lib.hasPrefix "!" hash || hash == "*";
  hasPassword =
    user:
    user.password != null
    || user.initialPassword != null
    || user.hashedPasswordFile != null
    || !isLocked user.hashedPassword
    || !isLocked user.initialHashedPassword;

  kinds = [
    "ssh-ed25519"
    "ssh-rsa"
    "ecdsa-sha2-nistp(256|384|521)"
    "sk-ssh-ed25519@openssh[.]com"
    "sk-ecdsa-sha2-nistp256@openssh[.]com"
  ];
  isPublicKey =
    key: builtins.match "(${lib.concatStringsSep "|" kinds}) AAAA[A-Za-z0-9+/]+={0,2}( [^\n]*)?" key != null;
  # Messages do not quote such a key: it could be a private key.
  odd = user: lib.filter (key: !isPublicKey key) user.openssh.authorizedKeys.keys;

  sshd = config.services.openssh.settings;
  names = of: lib.concatMapStringsSep ", " (user: user.name) of;
  withPassword = lib.filter hasPassword users;
  withOddKey = lib.filter (user: odd user != [ ]) users;
in
{
  users.mutableUsers = false;
  users.users.root.hashedPassword = "!";
  # NixOS does not see the keys of the overlay, which may be the only keys.
  users.allowNoPasswordLogin = true;

  services.getty.autologinUser = null;
  services.getty.helpLine = "There is no login here: ssh to root on this machine, with a key of the inventory's admin_keys.";

  services.openssh = {
    enable = true;
    authorizedKeysInHomedir = true;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "prohibit-password";
    };
  };

  assertions = [
    {
      assertion = withPassword == [ ];
      message = "The netboot image would admit ${names withPassword} by a password. Everybody in the boot network can fetch and read the image: remove the passwords.";
    }
    {
      assertion = config.services.getty.autologinUser == null;
      message = "The netboot image would log in ${toString config.services.getty.autologinUser} at the console without asking: leave services.getty.autologinUser unset.";
    }
    {
      assertion =
        sshd.PasswordAuthentication == false
        && sshd.KbdInteractiveAuthentication == false
        && lib.elem sshd.PermitRootLogin [
          "prohibit-password"
          "without-password"
        ];
      message = "The netboot image's SSH server would ask for passwords, or keep root out: leave PasswordAuthentication, KbdInteractiveAuthentication and PermitRootLogin of services.openssh.settings as profiles/netboot has them.";
    }
    {
      assertion = withOddKey == [ ];
      message = "A key of ${names withOddKey} for the netboot image is no public SSH key. The key is not shown here, since it could be a private key: write what `ssh-keygen -y` prints, without options before it.";
    }
  ];
}
