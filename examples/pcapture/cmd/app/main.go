// App stands for the program that is built.
package main

func main() { println(work(27)) }

func work(n int) int {
	if n < 2 {
		return n
	}
	return work(n-1) + work(n-2)
}
