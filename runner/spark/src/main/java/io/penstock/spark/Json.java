package io.penstock.spark;

/** Writes flat JSON objects in ASCII, so that a line survives any character set of a log. */
final class Json {
    private final StringBuilder out = new StringBuilder("{");

    Json put(String name, long number) {
        key(name).append(number);
        return this;
    }

    Json put(String name, boolean value) {
        key(name).append(value);
        return this;
    }

    Json put(String name, String text) {
        if (text != null) {
            quote(key(name), text);
        }
        return this;
    }

    /** {@code json} is written as it is. */
    Json raw(String name, String json) {
        key(name).append(json);
        return this;
    }

    private StringBuilder key(String name) {
        if (out.length() > 1) {
            out.append(',');
        }
        return out.append('"').append(name).append("\":");
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    @Override
    public String toString() {
        return out + "}";
    }
}
