"""What pages share: controls made from declarations, the live stage, the state of a race, language, export."""
