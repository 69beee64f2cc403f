module trusts

go 1.20
