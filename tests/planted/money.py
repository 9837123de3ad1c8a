"""Money that is moved wrong, twice, or without an entry (A10), and entries that are not true."""

from tests.planted.plant import Plant, in_script, of

_CREDIT = "'credit', 'assets:' .. packet_id"
_REST = "local rest_fen = math.max(0, whole(record[2], 'packet') - whole(record[4], 'packet'))"
_GONE_BACK = "redis.call('ZREM', reversals, unpack(due))"
_ENOUGH = "if balances[3] < sum_fen then error({ err = 'BROKEN reversals' }) end"
_TRIMMED = "redis.call('XADD', journal, '*', 'transfer_id', transfer_id"
_SPENT = "'spent_fen', text_of(balances[2] + moved_fen))"
_BALANCE = "'product', 'red_packet', 'balance_fen', text_of(available_fen - total_fen))"
_POINTER = "redis.call('HSET', packet, 'expired_upto', text_of(upto + count))"
_EXPIRED = "redis.call('HSET', assets, unpack(gone))"
_FROM_ESCROW = "'debit', 'escrow:' .. packet_id, 'credit'"
_VOIDED = "close_packet('void', transfer_id, 'voided', 'voided_at_ms', now_ms)"
_GIVEN = "redis.call('XADD', journal, '*', 'kind', 'claim'"
_PAIR = "#winners > 1 and n < 3"
_LINE = "lines[n] = viewer .. ',' .. index .. ',' .. taken[n] .. ',' .. request"
_TWICE = """
local paid = redis.call('HGET', packet, 'returned_fen')
redis.call('HINCRBY', KEYS[2], 'available_fen', paid)
redis.call('HINCRBY', KEYS[2], 'returned_fen', paid)
redis.call('XADD', KEYS[4], '*', 'kind', 'void', 'transfer_id', transfer_id, 'packet_id', packet_id,
    'debit', 'escrow:' .. packet_id, 'credit', 'funds:' .. ARGV[2], 'amount_fen', paid, 'at_ms', text_of(now_ms))"""
_EARLY = """
    if given == 5 then
        local wallet, fen = string.gsub(journal, ':journal$', ':wallet'), 100
        redis.call('HINCRBY', wallet, 'available_fen', fen)
        redis.call('HINCRBY', wallet, 'returned_fen', fen)
        redis.call('XADD', journal, '*', 'kind', 'sweep', 'transfer_id', 'early:' .. packet_id, 'packet_id', packet_id,
            'debit', 'escrow:' .. packet_id, 'credit', 'funds:' .. string.match(packet, '{(.-)}'),
            'amount_fen', '100', 'at_ms', text_of(at_ms))
    end
    """


PLANTS = [
    Plant(
        "one share in ten moves to another packet's assets",
        of("A10"),
        in_script("claim", (_CREDIT, f"{_CREDIT} .. (given % 10 == 7 and '0' or '')")),
    ),
    Plant(
        "one share in ten has no entry in the journal",
        of("A10"),
        in_script("claim", (_GIVEN, f"local _ = given % 10 ~= 4 and {_GIVEN}")),
    ),
    Plant(
        "the journal moves a fen from one share of a batch to the next",
        of("A10"),
        in_script(
            "claim",
            (_LINE, _LINE.replace("taken[n]", f"({_PAIR} and (n == 1 and taken[n] + 1 or taken[n] - 1) or taken[n])")),
        ),
    ),
    Plant(
        "a part of the escrow goes back before the end", of("A10", "A7"), in_script("claim", (_GIVEN, _EARLY + _GIVEN))
    ),
    Plant(
        "a sweep gives back a fen too few",
        of("A10"),
        in_script("sweep", (_REST, _REST.replace("whole(record[4], 'packet'))", "whole(record[4], 'packet') - 1)"))),
    ),
    Plant("a void returns twice", of("A10"), in_script("void", (_VOIDED, _VOIDED + _TWICE)), "changes"),
    Plant(
        "a reversal arrives twice",
        of("A10"),
        in_script(
            "reverse",
            (_GONE_BACK, "if balances[3] < sum_fen then " + _GONE_BACK + " end"),
            (_ENOUGH, ""),
            ("text_of(balances[3] - sum_fen)", "text_of(math.max(0, balances[3] - sum_fen))"),
        ),
        "changes",
    ),
    Plant(
        "what an edit takes away goes back without an entry",
        of("A10"),
        in_script("edit", (_TRIMMED, f"local _ = up and {_TRIMMED}")),
        "changes",
    ),
    Plant(
        "what an edit adds is not counted as spent",
        of("A10"),
        in_script("edit", (_SPENT, "'spent_fen', text_of(balances[2]))")),
        "changes",
    ),
    Plant(
        "what has expired goes back again and again",
        of("A10"),
        in_script("expire", (_POINTER, ""), (_EXPIRED, "")),
        "changes",
    ),
    Plant(
        "the balance told after a creation is a fen off",
        of("A10"),
        in_script("create", (_BALANCE, _BALANCE.replace("total_fen))", "total_fen + 1))"))),
    ),
]
