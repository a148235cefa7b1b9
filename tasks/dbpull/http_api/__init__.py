"""The parts that clients of providers' HTTP APIs share: requests, retries, answers.

Answers may hold passwords: they are never printed, logged, or kept where they could be.
"""
