"""Write what a tree trusts as a software bill of materials."""
