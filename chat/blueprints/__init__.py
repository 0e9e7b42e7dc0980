"""The HTTP edge: parse, call one service method, answer JSON."""
