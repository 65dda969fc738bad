# A hardware module of the user's own.
{ nixpkgs.hostPlatform = "x86_64-linux"; }
