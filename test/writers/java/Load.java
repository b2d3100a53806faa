import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Two threads of work for as many milliseconds as the first argument says, to be recorded by the flight recorder. */
public class Load {
    public static void main(String[] arguments) throws InterruptedException {
        long end = System.currentTimeMillis() + Long.parseLong(arguments[0]);
        Thread texts = new Thread(() -> {
            for (int call = 0; System.currentTimeMillis() < end; call++) {
                text(call);
                count(call);
            }
        }, "texts");
        texts.start();
        long sum = 0;
        for (int call = 0; System.currentTimeMillis() < end; call++) {
            sum += sort(call) + count(call) + fib(20);
        }
        texts.join();
        System.out.println(sum);
    }

    static int sort(int seed) {
        List<String> texts = new ArrayList<>();
        for (int n = 0; n < 20_000; n++) {
            texts.add(Integer.toHexString(n * 7919 * (seed + 1) % 65_537));
        }
        Collections.sort(texts);
        return texts.size();
    }

    static int count(int seed) {
        Map<Integer, Long> sums = new TreeMap<>();
        for (int n = 0; n < 20_000; n++) {
            sums.merge(n * (seed + 1) % 977, (long) n, Long::sum);
        }
        return sums.size();
    }

    static long fib(int n) {
        return n < 2 ? n : fib(n - 1) + fib(n - 2);
    }

    static String text(int seed) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 5_000; n++) {
            text.append(String.format("%d-%x;", n, n * seed));
        }
        return text.toString().replaceAll("[0-9]+-", "x");
    }
}
