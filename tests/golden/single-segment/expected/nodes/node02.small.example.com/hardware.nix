{ imports = [ ../../hardware/node02.nix ]; }
