"""What TensorBoard's own three readers show of a folder of event files, point by point.

TensorBoard reads one log in three ways that do not agree: `EventAccumulator` (the reader that scripts use),
`plugin_event_accumulator` (the one behind the Python user interface) and the data server in Rust (the one behind the
user interface as it is installed today). Each is modelled here by a pure function of the folder's files:
`read_folder` in shown.py. The rules are theirs, also where ours are better; docs/reference/views-of-points.md
tells them in words, and tests/contract/test_parity.py holds the models to the readers themselves.

    files     which files of a folder each reader takes, and the payloads in them
    strict    whether the server's protobuf library accepts a payload
    numbers   the number that a tensor stands for
    curves    the points of one series, and what a restart takes from them
    accumulators, server   the rules of the readers: what is a scalar, what does a restart drop
    shown     a folder from its files to its series
"""
