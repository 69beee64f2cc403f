module goreader

go 1.21
