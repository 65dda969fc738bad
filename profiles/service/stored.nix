# Lists the settings whose values are in the Nix store or would be copied there, each as a path such as `tls.key_path`.
{ lib }:
let
  isStored =
    value:
    builtins.isPath value
    || lib.isDerivation value
    || builtins.isString value && lib.hasPrefix "${builtins.storeDir}/" value;
  below =
    at: value:
    if isStored value then
      [ (lib.concatStringsSep "." at) ]
    else if builtins.isAttrs value then
      lib.concatLists (lib.mapAttrsToList (key: below (at ++ [ key ])) value)
    else if builtins.isList value then
      lib.concatMap (below at) value
    else
      [ ];
in
below [ ]
