# The module of the package castore, with its one function.
defmodule CAStore do
  def file_path, do: Application.app_dir(:castore, "priv/cacerts.pem")
end
