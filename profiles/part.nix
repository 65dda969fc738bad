# The option that switches a part of the profiles off.
lib: subject:
lib.mkOption {
  type = lib.types.bool;
  default = true;
  description = "Whether the profile has its defaults for ${subject}.";
}
