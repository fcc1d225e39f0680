-- Shows the messages of this course in Wireshark and tshark: the length prefix (fix 2) and the JSON header (fix 3).
--
--   tshark -X lua_script:docs/wireshark/unstuck.lua -r run.pcapng
--
-- What it shows is what the course is about: a message is put together from as many segments as it takes, a segment is
-- taken apart into as many messages as it holds. README.md beside this file says how to install and how to use it.
--
--    answers, fix 2:  [ length i32, little-endian | body ]
--    answers, fix 3:  [ length of the header, i32  | {"data_len": n, ...} | body of n bytes ]
--    requests:        [ length i32 | command ], or the bare bytes of the command
--
-- It needs Wireshark 3.6 or newer.

local unstuck = Proto("unstuck", "Unstuck, messages in a TCP stream")

local PREFIX_LEN = 4
local MAX_HEADER = 64 * 1024 -- as the programs have it

---------------------------------------------------------------------- What the user may set

local prefs = unstuck.prefs
prefs.prefix_ports = Pref.range("Ports of the length prefix", "8888", "Servers that speak fix 2", 65535)
prefs.json_ports = Pref.range("Ports of the JSON header", "9999",
    "Servers that speak fix 3; a port that stands in both lists speaks fix 3", 65535)
prefs.raw_requests = Pref.bool("Requests are raw", false, "Servers and clients run with --requests raw")
prefs.max_frame = Pref.uint("Longest message", 16 * 1024 * 1024, "As --max-frame, in bytes")

local ports = {} -- as registered: port = "prefix" or "json"

local function read_ports(text, protocol, into)
    for first, last in tostring(text):gmatch("(%d+)%-?(%d*)") do
        for port = tonumber(first), tonumber(last) or tonumber(first) do into[port] = protocol end
    end
end

local function register()
    local tcp = DissectorTable.get("tcp.port")
    for port in pairs(ports) do tcp:remove(port, unstuck) end
    ports = {}
    read_ports(prefs.prefix_ports, "prefix", ports)
    read_ports(prefs.json_ports, "json", ports)
    for port in pairs(ports) do tcp:add(port, unstuck) end
end

unstuck.prefs_changed = register

---------------------------------------------------------------------- What is shown

local fields = {
    length = ProtoField.int32("unstuck.length", "Length", base.DEC, nil, nil, "i32, little-endian"),
    header = ProtoField.string("unstuck.header", "Header", base.UNICODE),
    data_len = ProtoField.string("unstuck.data_len", "data_len", base.ASCII, "The length of the body, by the header"),
    command = ProtoField.string("unstuck.command", "Command", base.UNICODE),
    body = ProtoField.bytes("unstuck.body", "Body"),
    lost = ProtoField.bytes("unstuck.lost", "Bytes in no known message"),
}
unstuck.fields = fields

local LOST = "An earlier length was wrong: the stream has lost its place"
local violation, remark = expert.group.PROTOCOL, expert.group.SEQUENCE
local experts = {
    negative = ProtoExpert.new("unstuck.negative", "The length is negative", violation, expert.severity.ERROR),
    too_long = ProtoExpert.new("unstuck.too_long", "The length is above the limit", violation, expert.severity.ERROR),
    bad_header = ProtoExpert.new("unstuck.bad_header", "The header is not a JSON object with one data_len from 0",
        violation, expert.severity.ERROR),
    lost = ProtoExpert.new("unstuck.lost_place", LOST, violation, expert.severity.WARN),
    raw = ProtoExpert.new("unstuck.raw", "A raw request has no end: here is what one segment brought",
        remark, expert.severity.NOTE),
    inside = ProtoExpert.new("unstuck.inside", "Where the next message begins is not known",
        remark, expert.severity.NOTE),
    assumed = ProtoExpert.new("unstuck.assumed", "Read as messages, but where the first begins was not captured",
        remark, expert.severity.NOTE),
}
unstuck.experts = {
    experts.negative, experts.too_long, experts.bad_header, experts.lost, experts.raw, experts.inside, experts.assumed,
}

---------------------------------------------------------------------- Where messages begin in a stream

-- One direction of a connection is in one of four places:
--
--    known     the last message was read to its end, or this is the beginning of the stream
--    inside    the capture began later than the stream, or misses a part of it: the next boundary is not known
--    assumed   it was inside, and then a segment held nothing but whole messages: read on from there
--    broken    a length was wrong
--
-- A guess that turns out wrong is back inside: only where the place was known has the sender broken the protocol.

local field = {
    stream = Field.new("tcp.stream"), seq = Field.new("tcp.seq_raw"), len = Field.new("tcp.len"),
    seen = Field.new("tcp.completeness"), lost = Field.new("tcp.analysis.lost_segment"),
}

local WRAP = 0x100000000 -- sequence numbers have 32 bits
local streams = {} -- "stream/port of the receiver" = its place, as far as it was read
local places = {} -- "frame/its part" = the place there: Wireshark comes back to a frame when you click on it

function unstuck.init() streams, places = {}, {} end

local BEGAN_INSIDE = "the capture began in the middle of the stream"
local NOT_CAPTURED = "a part of the stream was not captured"

-- Why the first bytes that are seen of a direction may not be the first that it carried; nil if they are.
local function missing_before(is_request)
    local seen = field.seen().value -- bit 0: the client's SYN was seen; bit 1: the server's
    local syn = is_request and seen % 2 >= 1 or not is_request and seen % 4 >= 2
    if not syn then return BEGAN_INSIDE end
    return field.lost() and NOT_CAPTURED
end

-- The place where these bytes stand; and the stream, which goes on from there.
local function enter(tvb, pinfo, is_request)
    local key = tostring(field.stream()) .. "/" .. pinfo.dst_port
    local part = pinfo.number .. "/" .. tvb:offset() .. "/" .. tvb:len()
    if places[part] then return places[part], streams[key] end
    local stream = streams[key]
    local seq = field.seq().value + field.len().value - tvb:len() -- what is left of a segment goes up to its end
    if not stream then
        local why = missing_before(is_request)
        stream = { name = why and "inside" or "known", why = why, first = seq, boundary = 0 }
        streams[key] = stream
    end
    local offset = (seq - stream.first) % WRAP
    if tvb:offset() == 0 and stream.asked then
        offset = stream.asked -- put together in a buffer of its own, from several segments
    elseif offset ~= stream.boundary and (stream.name == "known" or stream.name == "assumed") then
        stream.name, stream.why = "inside", NOT_CAPTURED
    end
    places[part] = { name = stream.name, why = stream.why, offset = offset, from = stream.from }
    return places[part], stream
end

-- Notes how far the stream has been read: where the next message begins, if that is known, and what was asked for.
local function leave(pinfo, stream, place, found)
    if pinfo.visited then return end
    stream.boundary = found.boundary and (place.offset + found.boundary) % WRAP
    stream.asked = found.asked and (place.offset + found.asked) % WRAP
    if found.wrong then stream.name = place.name == "assumed" and "inside" or "broken" end
end

---------------------------------------------------------------------- One message

-- Like the decoder of the programs, each of these looks at the bytes from `at` on and has three outcomes: a message, or
-- "need more", as a number of bytes (nil, n), or an error (nil, nil, expert, text).

-- How many bytes follow a length of ours, at most `limit`.
local function length(tvb, at, limit)
    local here = tvb:len() - at
    if here < PREFIX_LEN then return nil, PREFIX_LEN - here end
    local value = tvb(at, PREFIX_LEN):le_int()
    if value < 0 then return nil, nil, experts.negative, "the length is " .. value end
    if value > limit then return nil, nil, experts.too_long, "the length is " .. value .. ", the limit " .. limit end
    return value
end

local function prefix_head(tvb, at)
    local body_len, more, wrong, text = length(tvb, at, prefs.max_frame)
    if not body_len then return nil, more, wrong, text end
    return { head_len = PREFIX_LEN, body_len = body_len }
end

local function json_head(tvb, at)
    local header_len, more, wrong, text = length(tvb, at, MAX_HEADER)
    if not header_len then return nil, more, wrong, text end
    local missing = PREFIX_LEN + header_len - (tvb:len() - at)
    if missing > 0 then return nil, missing end
    local header = header_len > 0 and tvb(at + PREFIX_LEN, header_len):string(ENC_UTF_8) or ""
    -- No reader of JSON: the one number that matters, at whatever depth. The programs are stricter.
    local found, data_len = 0, nil
    for value in header:gmatch('"data_len"%s*:%s*([^,}%s]+)') do found, data_len = found + 1, value end
    local is_object = header:match("^%s*{.*}%s*$")
    local whole = found == 1 and data_len:match("^%d+$")
    if not is_object or not whole then return nil, nil, experts.bad_header, "the header is " .. header end
    if #data_len > 10 or tonumber(data_len) > prefs.max_frame then
        return nil, nil, experts.too_long, "data_len is " .. data_len .. ", the limit " .. prefs.max_frame
    end
    return {
        head_len = PREFIX_LEN + header_len, header_len = header_len, data_len = data_len,
        body_len = tonumber(data_len),
    }
end

local function show(tvb, at, message, is_request, tree)
    local subtree = tree:add(unstuck, tvb(at, message.head_len + message.body_len))
    subtree:add_le(fields.length, tvb(at, PREFIX_LEN))
    if message.header_len then
        local header = tvb(at + PREFIX_LEN, message.header_len)
        local item = subtree:add_packet_field(fields.header, header, ENC_UTF_8)
        item:add(fields.data_len, header, message.data_len)
    end
    local body = tvb(at + message.head_len, message.body_len)
    if is_request then
        subtree:add_packet_field(fields.command, body, ENC_UTF_8)
        subtree:append_text(", request")
        return "request \"" .. body:string(ENC_UTF_8) .. "\""
    end
    if message.body_len > 0 then subtree:add(fields.body, body) end
    subtree:append_text(", answer of " .. message.body_len .. " bytes")
    return "answer of " .. message.body_len .. " bytes"
end

---------------------------------------------------------------------- A segment, or several put together

-- Whether all of it is whole messages. Other bytes can look like that too, so it is never more than an assumption.
local function fits(tvb, head)
    local at = 0
    while at < tvb:len() do
        local message = head(tvb, at)
        if not message then return false end
        at = at + message.head_len + message.body_len
    end
    return at == tvb:len()
end

-- All messages from here on. A message that is not all here yet is asked for: Wireshark then calls again, with the
-- bytes from its first one on and with more of them.
local function messages(tvb, pinfo, tree, head, is_request)
    local at, told = 0, {}
    while at < tvb:len() do
        local message, more, wrong, text = head(tvb, at)
        local boundary = message and at + message.head_len + message.body_len
        if message then more = boundary - tvb:len() end
        if more and more > 0 then
            pinfo.desegment_offset, pinfo.desegment_len = at, more
            return { told = told, asked = at, boundary = boundary }
        end
        if wrong then return { told = told, wrong = wrong, text = text, at = at } end
        table.insert(told, show(tvb, at, message, is_request, tree))
        at = boundary
    end
    return { told = told, boundary = at }
end

-- Bytes in no message that we know of.
local function show_lost(range, tree, why, text)
    local subtree = tree:add(unstuck, range)
    subtree:add(fields.lost, range)
    subtree:add_proto_expert_info(why, text)
    return subtree
end

local function show_assumed(tvb, tree, place, found)
    local from = string.format("read as messages from captured byte %d on", place.from)
    if #found.told > 0 then
        tree:add(unstuck, tvb(), "Assumed"):add_proto_expert_info(experts.assumed, place.why .. "; " .. from)
        table.insert(found.told, from)
    end
    if found.wrong then
        local text = from .. ", perhaps wrongly: " .. found.text
        show_lost(tvb(found.at), tree, experts.inside, text)
        table.insert(found.told, text)
    end
end

local function show_wrong(tvb, tree, found)
    local subtree = show_lost(tvb(found.at), tree, found.wrong, found.text)
    if tvb:len() - found.at >= PREFIX_LEN then subtree:add_le(fields.length, tvb(found.at, PREFIX_LEN)) end
    table.insert(found.told, found.text)
end

function unstuck.dissector(tvb, pinfo, tree)
    local protocol = ports[pinfo.dst_port]
    local is_request = protocol ~= nil
    protocol = protocol or ports[pinfo.src_port]
    pinfo.cols.protocol = "UNSTUCK"
    local head = (protocol == "json" and not is_request) and json_head or prefix_head
    local place, stream = enter(tvb, pinfo, is_request)
    if place.name == "inside" and fits(tvb, head) then
        place.name, place.from = "assumed", place.offset
        if not pinfo.visited then stream.name, stream.from = place.name, place.from end
    end
    local told
    if is_request and prefs.raw_requests then
        local subtree = tree:add(unstuck, tvb())
        subtree:add_packet_field(fields.command, tvb(), ENC_UTF_8)
        subtree:add_proto_expert_info(experts.raw)
        told = { "raw request \"" .. tvb():string(ENC_UTF_8) .. "\"" }
    elseif place.name == "inside" then
        local text = place.why .. ": where the next message begins is not known"
        show_lost(tvb(), tree, experts.inside, text)
        told = { text }
    elseif place.name == "broken" then
        show_lost(tvb(), tree, experts.lost, LOST)
        told = { LOST }
    else
        local found = messages(tvb, pinfo, tree, head, is_request)
        leave(pinfo, stream, place, found)
        if place.name == "assumed" then
            show_assumed(tvb, tree, place, found)
        elseif found.wrong then
            show_wrong(tvb, tree, found)
        end
        told = found.told
    end
    if #told > 0 then pinfo.cols.info = table.concat(told, ", ") end
end

register()
